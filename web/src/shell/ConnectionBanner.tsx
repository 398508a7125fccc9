import { useEffect } from "preact/hooks";
import { announce } from "../announcer.ts";
import type { LinkStatus } from "../connection.ts";
import type { Observable } from "../observable.ts";
import { useObservable } from "../observable.ts";

/** Says that the connection is lost while it is; the game goes on where it stopped once it is back, and `kept` is safe. */
export function ConnectionBanner({ link, kept }: { link: { status: Observable<LinkStatus> }; kept: string }) {
  const lost = useObservable(link.status).at === "reconnecting";
  useEffect(() => {
    if (!lost) return;
    announce("Connection lost. Reconnecting.");
    return () => announce("Connected again.");
  }, [lost]);
  if (!lost) return null;
  return (
    <div class="banner">
      <span class="banner__dot" aria-hidden="true" />
      <strong>Connection lost.</strong> Reconnecting… your {kept} is kept for you.
    </div>
  );
}
