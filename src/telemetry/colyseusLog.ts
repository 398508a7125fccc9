import type { Clock } from "../clock.ts";
import { isErrorCode } from "../errors.ts";
import type { Logger } from "./log.ts";

/** The same cause is written once in this time, in milliseconds. */
const QUIET_MS = 60_000;
/** Causes told apart; what comes beyond them is one cause more, so that nobody fills the log by being inventive. */
const MOST_CAUSES = 20;
/** No cause is told by more characters than this. */
const CAUSE_LENGTH = 60;

interface Told {
  /** Monotonic time. */
  at: number;
  /** How often it has been kept quiet since. */
  repeated: number;
}

/**
 * What Colyseus logs, in our log. It takes what goes wrong with a client's connection (a frame that is too large) for an error, with
 * its stack, and says nothing worse: our rooms log their own failures. Whoever sends garbage must not be able to page an
 * operator, nor to fill the log: it is a warning of one line, once a minute for each cause; `repeated` tells how often it came in between.
 * What a room has refused by one of our codes, its client is told: a detail.
 */
export function colyseusLog(log: Logger, clock: Clock): Pick<Console, "debug" | "info" | "warn" | "error"> {
  const ours = log.child({ part: "colyseus" });
  const told = new Map<string, Told>();

  function warn(text: unknown): void {
    const line = firstLine(text);
    if (isRefusal(line)) {
      ours.debug(line);
      return;
    }
    const now = clock.monotonic();
    const cause = knownCause(causeOf(line), now);
    const last = told.get(cause);
    if (last && now - last.at < QUIET_MS) {
      last.repeated += 1;
      return;
    }
    told.set(cause, { at: now, repeated: 0 });
    ours.warn(last && last.repeated > 0 ? { repeated: last.repeated } : {}, line);
  }

  function knownCause(cause: string, now: number): string {
    if (told.has(cause) || told.size < MOST_CAUSES) return cause;
    for (const [other, { at }] of told) if (now - at >= QUIET_MS) told.delete(other);
    return told.size < MOST_CAUSES ? cause : "others";
  }

  return {
    debug: (text: unknown) => ours.debug(firstLine(text)),
    info: (text: unknown) => ours.info(firstLine(text)),
    warn,
    error: warn,
  };
}

const firstLine = (text: unknown): string => String(text).split("\n", 1)[0]!;

/** Whether this is a typed error of a room (see `refusal`), and not one that says that something is wrong with us. */
function isRefusal(line: string): boolean {
  const code = /^RingmasterError: ([a-z_]+): /.exec(line)?.[1];
  return code !== "internal" && isErrorCode(code);
}

/** The line without what differs from one room or session to the next, up to its colon: what follows may be of a client's making. */
function causeOf(line: string): string {
  const general = line.replace(/\(roomId: [^)]*\)|[\w-]*\d[\w-]*/g, "#");
  return /^(\w*Error: )?[^:]*/.exec(general)![0].slice(0, CAUSE_LENGTH);
}
