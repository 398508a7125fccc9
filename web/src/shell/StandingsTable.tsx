import { Fragment } from "preact";
import { useObservable } from "../observable.ts";
import { pointsText } from "../points.ts";
import { session } from "../session.ts";

export interface TableRow {
  rank: number;
  playerId: string;
  name: string;
  points: number;
  /** A round counts that was played at the player's own pace. */
  isOwnPace?: boolean;
}

/** Rows of standings by rank, the player's own in gold; where ranks are left out between two rows, a line says so. */
export function StandingsTable({ rows }: { rows: readonly TableRow[] }) {
  const own = useObservable(session)?.player.id;
  return (
    <table class="standings">
      <thead class="unseen">
        <tr>
          <th scope="col">Rank</th>
          <th scope="col">Name</th>
          <th scope="col">Points</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <Fragment key={row.playerId}>
            {index > 0 && row.rank > rows[index - 1]!.rank + 1 && (
              <tr class="standings__gap">
                <td colSpan={3}>· · ·</td>
              </tr>
            )}
            <tr class={row.playerId === own ? "own" : ""}>
              <td>
                <span class={row.rank <= 3 ? `rank rank--${row.rank}` : "rank"}>{row.rank}</span>
              </td>
              <th scope="row">
                {row.name}
                {row.playerId === own && <span class="you"> you</span>}
                {row.isOwnPace && <span class="own-pace">at own pace</span>}
              </th>
              <td class="standings__points">{pointsText(row.points)}</td>
            </tr>
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}
