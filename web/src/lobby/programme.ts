import type { Listing } from "../protocol.ts";

export type Domain = "hunts" | "tournaments";

/** One thing to take part in. */
export interface Choice {
  domain: Domain;
  id: string;
}

const NAMES: Record<Domain, string> = { hunts: "hunt", tournaments: "tournament" };

/** The address of something on this page, `#hunt=ID` or `#tournament=ID`, so that it can be shared and reloaded. */
export function choiceInAddress(): Choice | undefined {
  const parameters = new URLSearchParams(location.hash.slice(1));
  for (const domain of ["hunts", "tournaments"] as const) {
    const id = parameters.get(NAMES[domain]);
    if (id) return { domain, id };
  }
  return undefined;
}

export function addressOf({ domain, id }: Choice): string {
  return `#${new URLSearchParams({ [NAMES[domain]]: id })}`;
}

export function isSame(a: Choice | undefined, b: Choice | undefined): boolean {
  return a?.domain === b?.domain && a?.id === b?.id;
}

/** A listing of a domain that this page can show. */
export type Entry = Listing & Choice;

export function entries(listings: readonly Listing[]): Entry[] {
  return listings.filter((listing): listing is Entry => Object.hasOwn(NAMES, listing.domain));
}

/** What there is to do in each phase of what is on, most first. */
const LIVELIEST: readonly string[] = ["solving", "open", "discovery", "reveal", "grace", "settling"];

/** What to show when nobody chose: what can be played now, else what is on, else the next to come. */
export function choose(on: readonly Listing[], coming: readonly Listing[]): Entry | undefined {
  const liveliness = ({ phase }: Listing): number => LIVELIEST.indexOf(phase) >>> 0;
  const [running] = entries(on).sort((a, b) => liveliness(a) - liveliness(b));
  return running ?? entries(coming).sort((a, b) => a.startsAt - b.startsAt)[0];
}

/** What comes after `done`: something else that is on, or the next to come. */
export function chooseAfter(done: Choice, on: readonly Listing[], coming: readonly Listing[]): Entry | undefined {
  const others = (listings: readonly Listing[]): Entry[] => entries(listings).filter((entry) => !isSame(entry, done));
  return choose(others(on), others(coming));
}
