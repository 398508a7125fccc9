import type { BoardEntry } from "./LobbyBoard.ts";

export interface WindowPorts {
  /** Which end counts: the entries that begin soonest, or those that have begun last. */
  end: "soonest" | "latest";
  /** Entries kept. */
  most: number;
  /** Entries shown: fewer than are kept, so that not every one that leaves has the next ones read. */
  shown: number;
}

/**
 * The first or last entries of a list that may be much longer, by when they begin. What lies beyond is in the database: an entry that is put
 * there is left out, and once too few are left, `lacks` says that the list is to be read anew.
 */
export class BoardWindow {
  readonly #ports: WindowPorts;
  /** The soonest first. */
  #entries: BoardEntry[] = [];
  readonly #byKey = new Map<string, BoardEntry>();
  /** Whether there is nothing beyond. */
  #isWhole = true;

  constructor(ports: WindowPorts) {
    this.#ports = ports;
  }

  /** Replaces all entries by the first or last of what was read; `isWhole` says that there are no others. */
  fill(entries: readonly BoardEntry[], isWhole: boolean): void {
    this.#entries = entries.toSorted(inOrder);
    this.#byKey.clear();
    for (const entry of entries) this.#byKey.set(keyOf(entry), entry);
    this.#isWhole = isWhole;
    this.#trim();
  }

  get(key: string): BoardEntry | undefined {
    return this.#byKey.get(key);
  }

  put(entry: BoardEntry): void {
    this.remove(keyOf(entry));
    const at = this.#positionOf(entry);
    const isBeyond = this.#ports.end === "soonest" ? at === this.#entries.length : at === 0;
    if (isBeyond && !this.#isWhole) return;
    this.#entries.splice(at, 0, entry);
    this.#byKey.set(keyOf(entry), entry);
    this.#trim();
  }

  remove(key: string): void {
    const known = this.#byKey.get(key);
    if (!known) return;
    this.#byKey.delete(key);
    this.#entries.splice(this.#positionOf(known), 1);
  }

  /** Whether there are entries beyond, of which some are to be shown. */
  get lacks(): boolean {
    return !this.#isWhole && this.#entries.length < this.#ports.shown;
  }

  /** The soonest first. */
  get shown(): BoardEntry[] {
    const { end, shown } = this.#ports;
    return end === "soonest" ? this.#entries.slice(0, shown) : this.#entries.slice(-shown);
  }

  #trim(): void {
    const { end, most } = this.#ports;
    while (this.#entries.length > most) {
      const beyond = end === "soonest" ? this.#entries.pop()! : this.#entries.shift()!;
      this.#byKey.delete(keyOf(beyond));
      this.#isWhole = false;
    }
  }

  /** Where an entry is, or would be, among the others. */
  #positionOf(entry: BoardEntry): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (inOrder(this.#entries[middle]!, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What an entry is known by. */
export function keyOf({ domain, id }: Pick<BoardEntry, "domain" | "id">): string {
  return `${domain}/${id}`;
}

function inOrder(a: BoardEntry, b: BoardEntry): number {
  if (a.startsAt !== b.startsAt) return a.startsAt - b.startsAt;
  const [one, other] = [`${a.id}/${a.domain}`, `${b.id}/${b.domain}`];
  return one < other ? -1 : one > other ? 1 : 0;
}
