import { RingmasterError } from "../errors.ts";
import { CLIENT_CODES, FAULTY_STATES, type Failure, SERVER_CODES, SQLITE_CODES } from "./failureCodes.ts";

/** It is not known whether a commit has happened: its connection was lost, or the server's answer does not tell. */
export class CommitUnknown extends Error {}

/** What a transaction says to whoever asks something of it after its end: a fault of our own. */
export const isOver = (): Error => new Error("the transaction is over");

/** What the edge to the database itself gives up: with a code of `CLIENT_CODES`. */
export function edgeError(
  code:
    | "CONNECTION_GONE"
    | "PROTOCOL_CONNECTION_LOST"
    | "POOL_CLOSED"
    | "POOL_FULL"
    | "POOL_TIMEOUT"
    | "STATEMENT_TIMEOUT",
  message: string,
  cause?: unknown,
): Error {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code, fatal: true });
}

/** What drivers tell with an error. `sqlState`: the server has answered. `fatal`: mysql2 gave the connection up. */
interface Told {
  code: string;
  errno: number;
  sqlState: string | undefined;
  fatal: boolean;
  syscall: string | undefined;
}

const SERVER = new Map(SERVER_CODES.map(([code, failure]) => [code, failure]));
const CLIENT = new Map(CLIENT_CODES.map(([code, failure]) => [code, failure]));
const SQLITE = new Map(SQLITE_CODES.map(([code, failure]) => [code, failure]));
const STATES = new Set(FAULTY_STATES.map(([state]) => state));

/**
 * What a failed statement means for whoever sent it. A fault is only what the server says about the statement itself, and what is no
 * error of a database at all: our own code's. Whatever else a server says, known or not, is `refused`.
 */
export function failureOf(error: unknown): Failure {
  const told = toldBy(error);
  if (told.code.startsWith("SQLITE_")) return SQLITE.get(primaryCode(told.code)) ?? "refused";
  if (told.sqlState !== undefined || told.code.startsWith("ER_")) return failureOfAnswer(told);
  const known = CLIENT.get(told.syscall === "connect" ? "ECONNECT" : told.code);
  if (known !== undefined) return known;
  return told.fatal ? "lost" : "fault";
}

function failureOfAnswer({ errno, sqlState }: Told): Failure {
  return SERVER.get(errno) ?? (STATES.has(sqlState?.slice(0, 2) ?? "") ? "fault" : "refused");
}

/** The code without what extends it: `SQLITE_IOERR_WRITE` → `SQLITE_IOERR`. */
function primaryCode(code: string): string {
  return code.split("_", 2).join("_");
}

function toldBy(error: unknown): Told {
  // TypeORM wraps what a driver throws.
  const source = ((error as { driverError?: unknown } | undefined)?.driverError ?? error ?? {}) as Partial<Told>;
  return {
    code: typeof source.code === "string" ? source.code : "",
    errno: typeof source.errno === "number" ? source.errno : 0,
    sqlState: typeof source.sqlState === "string" ? source.sqlState : undefined,
    fatal: source.fatal === true,
    syscall: source.syscall,
  };
}

const TAKEN = 1062;

/** Whether the server refused a row whose key is taken. */
export function isTaken(error: unknown): boolean {
  return toldBy(error).errno === TAKEN;
}

/** Answers to a COMMIT, or to a statement that commits by itself, after which it certainly has not happened, though not by its own fault. */
const CERTAINLY_UNDONE = new Set([1021, 1028, 1114, 1290, 1317, 1792, 1836, 1969, 3024, 3100]);

/** Whether a commit that failed with this error may have happened all the same. */
export function mayHaveCommitted(error: unknown): boolean {
  const failure = failureOf(error);
  if (failure === "lost") return true;
  if (failure !== "refused") return false;
  const { code, errno } = toldBy(error);
  // Without an answer it was never sent; what SQLite could not write, it may find again when it is opened next.
  return code.startsWith("SQLITE_") ? code.startsWith("SQLITE_IOERR") : errno !== 0 && !CERTAINLY_UNDONE.has(errno);
}

/**
 * Whether a statement may have failed for what it does itself, though that is no fault of it: it takes too long, or waits for what
 * somebody has locked. Not where the server says of itself that it serves nobody, or nothing was sent.
 */
export function mayBeItsOwnDoing(error: unknown): boolean {
  if (error instanceof CommitUnknown) return true;
  const failure = failureOf(error);
  if (failure !== "refused") return failure === "lost" || failure === "conflict";
  const { code, errno } = toldBy(error);
  return !code.startsWith("POOL_") && !REFUSE_WRITES.has(errno) && !REFUSE_EVERYBODY.has(errno);
}

/** The server goes, or takes no connection: too many, or not this account's. */
const REFUSE_EVERYBODY = new Set([1040, 1044, 1045, 1049, 1053, 1079, 1129, 1130, 1135, 1203, 1226, 1698]);

/** Whether the server answers and takes no writes, whoever sends them: it is read-only, or its disk is full. */
export function refusesWrites(error: unknown): boolean {
  const { errno } = toldBy(error);
  return REFUSE_WRITES.has(errno);
}

const REFUSE_WRITES = new Set([1021, 1026, 1030, 1047, 1114, 1290, 1792, 1836, 3100]);

/**
 * Maps a failed statement to what a caller may be told: `outcome_unknown` for a commit of unknown outcome, else `overloaded` or
 * `unavailable` unless the statement itself is at fault.
 */
export function databaseError(error: unknown): unknown {
  if (error instanceof CommitUnknown)
    return new RingmasterError(
      "outcome_unknown",
      "The database was lost while this was being stored; it may have taken effect. Repeat it with the same requestId to learn its outcome.",
      undefined,
      { cause: error },
    );
  if (failureOf(error) === "fault") return error;
  return toldBy(error).code === "POOL_FULL"
    ? new RingmasterError("overloaded", "The database has too much work waiting.", undefined, { cause: error })
    : new RingmasterError("unavailable", "The database is out of reach; try again in a moment.", undefined, {
        cause: error,
      });
}
