import { useObservable } from "../observable.ts";
import { pointsText } from "../points.ts";
import { ordinal } from "../prizes.ts";
import type { ScoreRow } from "../protocol.ts";
import { StandingsTable } from "../shell/StandingsTable.tsx";
import type { TournamentGame } from "./TournamentGame.ts";

/** Rows shown from the top. */
const TOP_ROWS = 10;

/** The best as they change, and below them the player among those around. */
export function TournamentStandings({ game }: { game: TournamentGame }) {
  const { rows, total } = useObservable(game.standings);
  const around = useObservable(game.around);
  const own = useObservable(game.own);
  const shown = merge(rows.slice(0, TOP_ROWS), around);

  return (
    <section class="panel">
      <h2 id="standings">Standings</h2>
      {shown.length === 0 ? (
        <p class="small">Nobody has played yet. The first line is free.</p>
      ) : (
        <StandingsTable
          rows={shown.map(({ score, subscore, ...row }) => ({ ...row, points: score, isOwnPace: subscore < 0 }))}
        />
      )}
      {own && (
        <p class="small">
          You are {ordinal(own.rank)} of {total.toLocaleString("en")}, with {pointsText(own.score)}.
        </p>
      )}
    </section>
  );
}

/**
 * Both by rank, each player and each rank once. The two were read at different times: the top is the newer one, so that what it
 * holds goes before what was around the player a moment ago.
 */
function merge(top: readonly ScoreRow[], around: readonly ScoreRow[]): ScoreRow[] {
  const last = top.at(-1)?.rank ?? 0;
  const listed = new Set(top.map(({ playerId }) => playerId));
  return [...top, ...around.filter(({ rank, playerId }) => rank > last && !listed.has(playerId))];
}
