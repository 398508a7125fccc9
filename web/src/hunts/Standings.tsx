import { useObservable } from "../observable.ts";
import type { Phase } from "../protocol.ts";
import { session } from "../session.ts";
import { StandingsTable } from "../shell/StandingsTable.tsx";
import type { HuntGame } from "./HuntGame.ts";

/** The top ten as they change, the player's own row in gold; below them the player, when not among them. */
export function Standings({ game }: { game: HuntGame }) {
  const hunt = useObservable(game.hunt);
  const points = useObservable(game.points);
  const playerId = useObservable(session)?.player.id;
  if (!hunt) return null;
  const isListed = hunt.top.some((row) => row.playerId === playerId);

  return (
    <section class="panel">
      <h2 id="standings">Standings</h2>
      {hunt.top.length === 0 ? (
        <p class="small">Nobody has scored yet. The first line is free.</p>
      ) : (
        <StandingsTable rows={hunt.top} />
      )}
      {!isListed && points > 0 && <p class="small">{ownLine(points, hunt.phase)}</p>}
    </section>
  );
}

function ownLine(points: number, phase: Phase): string {
  const past = phase === "reveal" || phase === "finished";
  return past ? `You finished with ${points} points.` : `You have ${points} points. The top ten is within reach.`;
}
