import type { Sql } from "../sql.ts";

/** Events that operators intervene in. */
export type EventDomain = "hunts" | "tournaments";
/** What they do with a reason: each is a command of its name and the event's, `pauseHunt`. */
const KINDS = ["correct", "pause", "resume", "hold", "release", "cancel"] as const;
export type EventChangeKind = (typeof KINDS)[number];
/** What the audit calls an event, and what ends its commands' names. */
const NAMES: Record<EventDomain, readonly [subject: string, command: string]> = {
  hunts: ["hunt", "Hunt"],
  tournaments: ["tournament", "Tournament"],
};

/** Who intervenes, and why. */
export interface Intervention {
  operatorId: string;
  reason: string;
}

/** Who cancels an event, and why, if they say; players are told. */
export interface Cancellation {
  operatorId: string;
  reason?: string | undefined;
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

/**
 * Notes an intervention of which there is no line in the audit, in the turn that carries it out: a node of the version before has asked
 * for it. `id` is any that no other has.
 */
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

/** What operators did to an event with a reason, latest first: of the audit, and of the table that nodes of the version before write. */
export async function eventChanges(
  sql: Pick<Sql, "query">,
  domain: EventDomain,
  eventId: string,
  limit: number,
): Promise<EventChange[]> {
  const [audited, noted] = await Promise.all([
    auditedChanges(sql, domain, eventId, limit),
    notedChanges(sql, domain, eventId, limit),
  ]);
  return [...audited, ...noted].sort((one, other) => other.changedAt - one.changedAt).slice(0, limit);
}

async function auditedChanges(
  sql: Pick<Sql, "query">,
  domain: EventDomain,
  eventId: string,
  limit: number,
): Promise<EventChange[]> {
  const [subject, ending] = NAMES[domain];
  const rows = await sql.query<Record<"command" | "operator_id" | "args", string> & { at: unknown }>(
    `SELECT command, operator_id, args, at FROM audit
     WHERE subject = ? AND outcome = 'done' AND command IN (${KINDS.map(() => "?").join(", ")}) ORDER BY at DESC, id DESC LIMIT ?`,
    // An event is cancelled once, for which no reason need be given.
    [`${subject}:${eventId}`, ...KINDS.map((kind) => `${kind}${ending}`), limit + 1],
  );
  return rows.flatMap(({ command, operator_id, args, at }) => {
    const { reason } = JSON.parse(args) as { reason?: string };
    if (reason === undefined) return [];
    const kind = command.slice(0, -ending.length) as EventChangeKind;
    return [{ kind, operatorId: operator_id, reason, changedAt: Number(at) }];
  });
}

async function notedChanges(
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
