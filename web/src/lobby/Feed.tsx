import { useObservable } from "../observable.ts";
import type { Lobby } from "./Lobby.ts";
import { newsOf } from "./news.ts";

/** Lines shown at most. */
const LINES = 6;

/** The latest news of the house. */
export function Feed({ lobby }: { lobby: Lobby }) {
  const lines = newsOf(useObservable(lobby.events)).slice(0, LINES);
  if (lines.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="news">
      <h2 id="news">From the barker</h2>
      <ul class="news">
        {lines.map(({ id, at, text }) => (
          <li key={id}>
            <time dateTime={new Date(at).toISOString()}>
              {new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })}
            </time>
            <span>{text}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
