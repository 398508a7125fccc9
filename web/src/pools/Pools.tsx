import { useState } from "preact/hooks";
import { countdownText, useServerNow } from "../countdown.ts";
import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";
import { pointsText } from "../points.ts";
import { itemsText, ordinal } from "../prizes.ts";
import { session } from "../session.ts";
import { StandingsTable } from "../shell/StandingsTable.tsx";
import { PLAYABLE_GAME } from "../tournaments/TournamentGame.ts";
import { Draws } from "./Draws.tsx";
import { dayText, type Game, type OpenPool, type PastPool, type Period, type Ranking, useReading } from "./readings.ts";

const PERIODS: Record<Period, string> = { daily: "Today", weekly: "This week", all: "All time" };
/** Rows of a ranking that are shown, and those around the player that are asked for. */
const TOP_ROWS = 10;
const ROWS_AROUND = 3;
/** Pools that are over and shown. */
const PAST = 3;

/** Of one game and period: what is in the pool and who leads, the ranking, and who won before; and the weekly draws. */
export function Pools({ lobby }: { lobby: Lobby }) {
  const [chosen, setChosen] = useState<string>();
  const [period, setPeriod] = useState<Period>("daily");
  const games = useReading<{ games: Game[] }>("/api/games", lobby)?.games ?? [];
  if (games.length === 0) return null;
  const game = chosen ?? (games.find(({ id }) => id === PLAYABLE_GAME) ?? games[0]!).id;
  return (
    <section class="panel" aria-labelledby="pools">
      <h2 id="pools">Pools and rankings</h2>
      <div class="choices">
        <label>
          Game
          <select value={game} onChange={(event) => setChosen(event.currentTarget.value)}>
            {games.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Period
          <select value={period} onChange={(event) => setPeriod(event.currentTarget.value as Period)}>
            {Object.entries(PERIODS).map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {period !== "all" && <Pool key={`pool ${game} ${period}`} lobby={lobby} game={game} period={period} />}
      <RankingTable key={`ranking ${game} ${period}`} lobby={lobby} game={game} period={period} />
      {period !== "all" && <PastPools key={`past ${game} ${period}`} lobby={lobby} game={game} period={period} />}
      <Draws lobby={lobby} />
    </section>
  );
}

interface OfGame {
  lobby: Lobby;
  game: string;
  period: Period;
}

function Pool({ lobby, game, period }: OfGame) {
  const pools = useReading<{ pools: OpenPool[] }>("/api/pools", lobby)?.pools;
  const pool = pools?.find((one) => one.game === game && one.period === period);
  const now = useServerNow(lobby.clock);
  if (!pool) return null;
  const { items, leader, endsAt } = pool;
  return (
    <div class="pool">
      <p class="pool__items">{items.length > 0 ? itemsText(items) : "Nothing is in the pool yet."}</p>
      <p class="small">
        {leader ? (
          <>
            <strong>{leader.name}</strong> leads with {pointsText(leader.score)}.
          </>
        ) : (
          "Nobody has a score yet."
        )}{" "}
        The best score gets all of it in {countdownText(endsAt - now)}.
      </p>
    </div>
  );
}

function RankingTable({ lobby, game, period }: OfGame) {
  const path = `/api/rankings/${game}/${period}`;
  const own = useObservable(session)?.player.id;
  const ranking = useReading<Ranking>(`${path}?limit=${TOP_ROWS}`, lobby);
  const isListed = ranking?.rows.some(({ playerId }) => playerId === own) ?? true;
  const wanted = isListed || own === undefined ? undefined : `${path}?limit=${ROWS_AROUND}&around=${own}`;
  const around = useReading<Ranking>(wanted, lobby)?.rows ?? [];
  if (!ranking) return <p class="small">One moment…</p>;
  const last = ranking.rows.at(-1)?.rank ?? 0;
  const rows = [...ranking.rows, ...around.filter(({ rank }) => rank > last)];
  const mine = rows.find(({ playerId }) => playerId === own);
  return (
    <div>
      <h3>Ranking</h3>
      {rows.length === 0 ? (
        <p class="small">Nobody is ranked yet. Rankings are made every hour.</p>
      ) : (
        <StandingsTable rows={rows.map(({ score, ...row }) => ({ ...row, points: score }))} />
      )}
      {mine && (
        <p class="small">
          You are {ordinal(mine.rank)} of {ranking.total.toLocaleString("en")}.
        </p>
      )}
    </div>
  );
}

function PastPools({ lobby, game, period }: OfGame) {
  const pools = useReading<{ pools: PastPool[] }>(`/api/pools/${game}/${period}?limit=${PAST}`, lobby)?.pools ?? [];
  if (pools.length === 0) return null;
  return (
    <div>
      <h3>Pools that are over</h3>
      <ul class="past">
        {pools.map(({ endsAt, winner, paid }) => (
          <li key={endsAt}>
            <time dateTime={new Date(endsAt).toISOString()}>{dayText(endsAt - 1)}</time>
            <span>
              {winner ? `${winner.name}, ${pointsText(winner.score)}` : "Nobody played"}
              {paid.length > 0 && `: ${itemsText(paid)}`}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
