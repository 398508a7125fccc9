import { announcement } from "../announcer.ts";
import { useObservable } from "../observable.ts";

/** Reads announcements out. A line that is the same as the last one differs by a space that nobody hears. */
export function Announcer() {
  const { turn, text } = useObservable(announcement);
  return (
    <div class="unseen" role="status" aria-live="polite">
      {text + (turn % 2 === 0 ? "" : "\u00a0")}
    </div>
  );
}
