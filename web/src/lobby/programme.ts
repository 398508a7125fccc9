import type { Listing } from "../protocol.ts";

/** The address of a hunt on this page: `#hunt=ID`, so that a hunt can be shared and reloaded. */
export function huntInAddress(): string | undefined {
  return new URLSearchParams(location.hash.slice(1)).get("hunt") ?? undefined;
}

export function addressOfHunt(huntId: string): string {
  return `#${new URLSearchParams({ hunt: huntId })}`;
}

export function hunts(listings: readonly Listing[]): Listing[] {
  return listings.filter(({ domain }) => domain === "hunts");
}

/** The hunt to play when nobody chose one: the one that is being solved, else the first that is on, else the next to come. */
export function choose(on: readonly Listing[], coming: readonly Listing[]): Listing | undefined {
  const running = hunts(on);
  const next = hunts(coming).sort((a, b) => a.startsAt - b.startsAt)[0];
  return running.find(({ phase }) => phase === "solving") ?? running[0] ?? next;
}
