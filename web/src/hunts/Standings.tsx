import { useObservable } from "../observable.ts";
import { pointsText } from "../points.ts";
import { ordinal } from "../prizes.ts";
import type { OwnStanding, Standing } from "../protocol.ts";
import { session } from "../session.ts";
import { StandingsTable } from "../shell/StandingsTable.tsx";
import type { HuntGame, HuntView } from "./HuntGame.ts";

/** The top ten as they change, the player's own row in gold; below them the player, when not among them. */
export function Standings({ game }: { game: HuntGame }) {
  const hunt = useObservable(game.hunt);
  const points = useObservable(game.points);
  const asked = useObservable(game.rank.standing);
  const player = useObservable(session)?.player;
  if (!hunt || !player) return null;
  const listed = hunt.top.find((row) => row.playerId === player.id);
  const own = listed ?? asked ?? { rank: null, points };
  // The top is newer than what was asked for a moment ago.
  const isBelow = !listed && own.rank !== null && own.rank > hunt.top.length;
  const rows: Standing[] = isBelow
    ? [...hunt.top, { rank: own.rank!, playerId: player.id, name: player.name, points: own.points }]
    : hunt.top;

  return (
    <section class="panel">
      <h2 id="standings">Standings</h2>
      {rows.length === 0 ? (
        <p class="small">Nobody has scored yet. The first line is free.</p>
      ) : (
        <StandingsTable rows={rows} />
      )}
      {points > 0 && <p class="small">{ownLine(own, hunt)}</p>}
    </section>
  );
}

function ownLine({ rank, points }: OwnStanding, { phase, players }: HuntView): string {
  if (rank !== null) {
    const past = phase === "reveal" || phase === "finished";
    const place = `${ordinal(rank)} of ${players.toLocaleString("en")}`;
    return `You ${past ? "came in" : "are"} ${place}, with ${pointsText(points)} points.`;
  }
  return `You have ${pointsText(points)} points.`;
}
