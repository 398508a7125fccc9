import type { Lobby } from "../lobby/Lobby.ts";
import { type Draw, dayText, useReading } from "./readings.ts";

/** Draws shown. */
const DRAWS = 3;

/** Who won the weekly draws. */
export function Draws({ lobby }: { lobby: Lobby }) {
  const draws = useReading<{ draws: Draw[] }>(`/api/draws?limit=${DRAWS}`, lobby)?.draws;
  if (!draws) return null;
  return (
    <div>
      <h3>The weekly draw</h3>
      <p class="small">On Mondays one of all who had a score in the week gets a private pass, whatever the score.</p>
      <ul class="past">
        {draws.map(({ weekStartsAt, weekEndsAt, candidates, winner }) => (
          <li key={weekStartsAt}>
            <time dateTime={new Date(weekStartsAt).toISOString()}>
              {dayText(weekStartsAt)} to {dayText(weekEndsAt - 1)}
            </time>
            <span>{winner ? `${winner.name}, of ${candidates.toLocaleString("en")}` : "Nobody played"}</span>
          </li>
        ))}
      </ul>
      {draws.length === 0 && <p class="small">None has taken place yet.</p>}
    </div>
  );
}
