import { RingmasterError } from "../../errors.ts";
import type { TimerRecord } from "./timers.ts";

/** Names one actor. */
export interface ActorAddress {
  kind: string;
  id: string;
}

/** An actor's row as it was claimed: from here on the claimer is its owner. */
export interface ClaimedRow extends ActorAddress {
  epoch: number;
  version: number;
  /** JSON text. */
  state: string;
  /** The version of its kind (`ActorType.version`) that the state is of. */
  stateVersion: number;
  timers: TimerRecord[];
  crashes: number;
  /** It has no row yet: the first turn that stores something makes it. Nobody owns it until then. */
  isNew?: boolean;
  /** Its row was made before its first turn, and no turn has stored anything since: it goes when it is released. */
  isBlank?: boolean;
  /** Known by the first turn that sends something: nothing that was sent before waits in a table that this node does not know of. */
  hasNoBacklog?: boolean;
}

/** `crashes` counts the nodes in a row that died under an actor before it had shown itself healthy there, up to this. */
const CRASHES_COUNTED = 2;
/** An actor with this many is in quarantine: it is left alone until an operator pardons it. */
export const CRASHES_TO_QUARANTINE = 4;

/** A row as the table `actors` holds it. */
export interface StoredRow {
  kind: string;
  id: string;
  owner: string | null;
  epoch: number;
  version: number;
  state: string;
  state_version: number;
  timers: string;
  due_at: number | null;
  crashes: number;
  /** When it was read, by the database's clock, in microseconds; where that was asked for. */
  read_at?: number;
}

export const COLUMNS = "kind, id, owner, epoch, version, state, state_version, timers, due_at, crashes";

/** What becomes of an actor's count of crashes when it loses its node. */
export const blamed = (crashed: boolean): string =>
  crashed ? `CASE WHEN crashes < ${CRASHES_COUNTED} THEN crashes + 1 ELSE crashes END` : "crashes";

/** The row as its claim has left it: from then on its version is at least `since`. */
export function afterClaim(seen: ClaimedRow, crashed: boolean, since: number): ClaimedRow {
  const crashes = crashed && seen.crashes < CRASHES_COUNTED ? seen.crashes + 1 : seen.crashes;
  return { ...seen, epoch: seen.epoch + 1, version: Math.max(seen.version, since), crashes };
}

/** A stored row as whoever claims it needs it. */
export function claimed(row: StoredRow): ClaimedRow {
  return {
    kind: row.kind,
    id: row.id,
    epoch: Number(row.epoch),
    version: Number(row.version),
    state: row.state,
    stateVersion: Number(row.state_version),
    timers: JSON.parse(row.timers) as TimerRecord[],
    crashes: Number(row.crashes),
  };
}

/** Parameters and placeholders of `(kind, id) IN (…)`. */
export const flat = (rows: readonly ActorAddress[]): string[] => rows.flatMap((row) => [row.kind, row.id]);
export const pairs = (rows: readonly ActorAddress[]): string => rows.map(() => "(?, ?)").join(", ");

/** Keys that their columns would cut could become another actor's. Throws `invalid_payload`. */
export function assertAddress({ id }: ActorAddress): void {
  // MySQL takes texts for equal that differ in spaces at their end.
  if (!fitsColumn(id, 128) || id.endsWith(" "))
    throw new RingmasterError("invalid_payload", "An actor's id has 1 to 128 characters, and no space at its end.");
}

export const fitsColumn = (text: string, most: number): boolean =>
  text.length > 0 && text.length <= most && text.isWellFormed();
