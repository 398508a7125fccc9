import { detached } from "./tracing.ts";

/** Time, injected: nothing outside `systemClock` reads a clock or arms a driver timer of its own. */
export interface Clock {
  /** Wall time in epoch milliseconds; may jump. Due times and everything stored use it. */
  now(): number;
  /** Milliseconds that only ever go forward; every decision about silence and leases uses it. */
  monotonic(): number;
  /** Runs `callback` once after `ms` (any length; 24.8 days is no limit here), as no part of a trace. The returned function cancels it. */
  schedule(callback: () => void, ms: number): () => void;
}

/**
 * Times that somebody names are between these, in epoch milliseconds: 2020-01-01 refuses seconds that were meant to be milliseconds,
 * 2100-01-01 microseconds. `earliest` is for what is to come, or began a while ago; what is looked up may be older.
 */
export const EPOCH_BOUNDS = { earliest: 1_577_836_800_000, latest: 4_102_444_800_000 };

/** Resolves after `ms`, of any length. */
export function sleep(clock: Pick<Clock, "schedule">, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.schedule(resolve, ms));
}

/** Chance, injected. */
export interface Rng {
  /** A number in [0, 1). */
  next(): number;
  /** A random id of `[0-9A-Za-z]`, 16 characters unless told. */
  id(length?: number): string;
}

/** `setTimeout` fires at once beyond this many milliseconds, so longer waits are cut into hops. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(callback, ms) {
    const end = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const hop = (): void => {
      const left = end - performance.now();
      timer = left > LONGEST_TIMEOUT_MS ? setTimeout(hop, LONGEST_TIMEOUT_MS) : setTimeout(callback, Math.max(0, left));
    };
    // A timer would keep the trace of whoever sets it, and so would all that it goes on to do.
    detached(hop);
    return () => clearTimeout(timer);
  },
};

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function idFrom(byte: () => number, length: number): string {
  let id = "";
  while (id.length < length) {
    const value = byte() & 63;
    if (value < ALPHABET.length) id += ALPHABET[value];
  }
  return id;
}

/** Bytes that the system is asked for at a time: a call costs some ten times what an id's bytes do, and each request has an id. */
const POOL_BYTES = 4096;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** What is drawn may be worth guessing, so it must not be guessable. */
function unguessableByte(): number {
  if (used === POOL_BYTES) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const byte = pool[used]!;
  // Whoever reads memory later learns nothing of what was drawn before.
  pool[used++] = 0;
  return byte;
}

export const systemRng: Rng = {
  next() {
    let number = 0;
    for (let n = 0; n < 4; n += 1) number = number * 256 + unguessableByte();
    return number / 2 ** 32;
  },
  id: (length = 16) => idFrom(unguessableByte, length),
};

/** The same chance again from the same seed (mulberry32, by Tommy Ettinger), for tests and verifiable draws' rehearsals. */
export function seededRng(seed: number): Rng {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, id: (length = 16) => idFrom(() => Math.floor(next() * 256), length) };
}

/** Whether days and hours can be told by a time zone of this name. */
export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
