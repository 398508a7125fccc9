import type { Sql } from "../sql.ts";

/** Events that operators intervene in. */
export type EventDomain = "hunts" | "tournaments";
/** What they do with a reason. */
export type EventChangeKind = "correct" | "pause" | "resume" | "hold" | "release";

/** Who intervenes, and why. */
export interface Intervention {
  operatorId: string;
  reason: string;
}

/** One intervention, as it stays. */
export interface EventChange extends Intervention {
  kind: EventChangeKind;
  /** Epoch milliseconds. */
  changedAt: number;
}

interface ChangeRow {
  kind: EventChangeKind;
  operator_id: string;
  reason: string;
  changed_at: unknown;
}

/** Notes an intervention in the turn that carries it out. `id` is any that no other has. */
export async function noteEventChange(
  tx: Pick<Sql, "write">,
  { domain, eventId, id }: { domain: EventDomain; eventId: string; id: string },
  { kind, operatorId, reason, changedAt }: EventChange,
): Promise<void> {
  await tx.write(
    `INSERT INTO event_changes (domain, event_id, changed_at, id, kind, operator_id, reason) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    [domain, eventId, changedAt, id, kind, operatorId, reason],
  );
}

/** What operators did to an event with a reason, latest first. */
export async function eventChanges(
  sql: Pick<Sql, "query">,
  domain: EventDomain,
  eventId: string,
  limit: number,
): Promise<EventChange[]> {
  const rows = await sql.query<ChangeRow>(
    `SELECT kind, operator_id, reason, changed_at FROM event_changes WHERE domain = ? AND event_id = ?
    ORDER BY changed_at DESC, id DESC LIMIT ?`,
    [domain, eventId, limit],
  );
  return rows.map(({ kind, operator_id, reason, changed_at }) => ({
    ...{ kind, operatorId: operator_id, reason, changedAt: Number(changed_at) },
  }));
}
