import { createHash } from "node:crypto";
import type { OperatorCall } from "../actors/admin/operatorCall.ts";
import type { Clock, Rng } from "../clock.ts";
import { TokenBucket } from "../edge/TokenBucket.ts";
import { type AuditEntry, type AuditNote, type AuditOutcome, writeNote } from "../entities/audit.ts";
import { databaseError } from "../entities/failures.ts";
import type { Sql } from "../entities/sql.ts";
import { RingmasterError, toRingmasterError } from "../errors.ts";
import { type Identity, mayActAs } from "../http/auth/identity.ts";
import type { Feed } from "../stores/feeds/Feed.ts";
import type { Logger } from "../telemetry/log.ts";
import { validate } from "../validate.ts";
import { auditArgs } from "./auditArgs.ts";
import type { BoundOperation, OperationTerms } from "./Operation.ts";

/** The feed of what operators did. It is news: what counts is the table `audit`. */
export const AUDIT_TOPIC = "audit";

/** What a command is done to, by the argument that names it: `huntId` a hunt, `job` a job. */
const SUBJECT = /^(?:([a-z]+)Id|(job))$/;

/** Arguments of commands that the feed tells with them. */
const TOLD = /^(?:[a-z]+Id|reason)$/;

/** Lines a second and at once of callers who lack the role, of whom there may be many; what is beyond is in the log. */
const FORBIDDEN_A_SECOND = 5;
const FORBIDDEN_AT_ONCE = 100;

/** How a request came. */
export interface Asked {
  via: AuditEntry["via"];
  /** The caller's own id of it, if it has one. */
  requestId?: string | undefined;
  /** What the id is for, so that the same one sent elsewhere is another: of a room its command, over HTTP the endpoint. */
  scope: string;
  /** Under which the log speaks of it. */
  logId?: string | undefined;
}

export interface OperationsPorts {
  clock: Clock;
  rng: Rng;
  log: Logger;
  feed: Pick<Feed, "append">;
  database: Sql;
  nodeId: string;
}

/** Carries out the operations of a node for whoever asks, in whatever way: checks role and arguments, and sees to the audit. */
export class Operations {
  readonly #all = new Map<string, BoundOperation>();
  readonly #ports: OperationsPorts;
  readonly #forbidden: TokenBucket;

  constructor(ports: OperationsPorts) {
    this.#ports = ports;
    this.#forbidden = new TokenBucket(FORBIDDEN_A_SECOND, FORBIDDEN_AT_ONCE, ports.clock);
  }

  /** Adds those of a domain. Throws an Error when there is one of a kind and a name already. */
  add(operations: readonly BoundOperation[]): void {
    for (const each of operations) {
      const key = keyOf(each.kind, each.name);
      if (this.#all.has(key)) throw new Error(`the ${each.kind} ${each.name} is named twice`);
      this.#all.set(key, each);
    }
  }

  get all(): BoundOperation[] {
    return [...this.#all.values()];
  }

  /** Throws `unknown_request`, which names those that there are. */
  find(kind: OperationTerms["kind"], name: string): BoundOperation {
    const found = this.#all.get(keyOf(kind, name));
    if (found) return found;
    const names = this.all.filter((each) => each.kind === kind).map((each) => each.name);
    throw new RingmasterError("unknown_request", `There is no ${name}; there are ${names.join(", ")}.`);
  }

  /** Throws `forbidden` where the caller's role may not; a command that was refused so is in the audit. */
  admit(operation: OperationTerms, caller: Identity, asked: Asked, args: unknown = {}): void {
    if (mayActAs(caller.role, operation.role)) return;
    const error = new RingmasterError("forbidden");
    if (operation.kind === "command") {
      const { log } = this.#ports;
      if (this.#forbidden.take()) void this.#note(this.#entryOf(operation, args, caller, asked), "refused", error);
      else
        log.warn(
          { playerId: caller.playerId, command: operation.name },
          "a command was refused; the audit has enough of these",
        );
    }
    throw error;
  }

  /** Carries one out. Throws `forbidden`, `invalid_payload`, and what the handler throws. */
  async run(operation: BoundOperation, args: unknown, caller: Identity, asked: Asked): Promise<unknown> {
    this.admit(operation, caller, asked, args);
    const requestId = asked.requestId === undefined ? undefined : `${asked.scope}\n${asked.requestId}`;
    const call: OperatorCall = { operatorId: caller.playerId, requestId };
    if (operation.kind === "query") return await operation.run(validate(operation.args, args), call);
    const entry = this.#entryOf(operation, args, caller, asked, requestId);
    let answer: unknown;
    try {
      const valid = validate(operation.args, args);
      entry.args = auditArgs(operation.args, valid);
      answer = await operation.run(valid, { ...call, audit: entry });
    } catch (thrown) {
      const error = toRingmasterError(databaseError(thrown));
      await this.#note(entry, outcomeOf(error), error);
      throw thrown;
    }
    const isLate = await this.#note(entry, "done");
    if (isLate && !operation.changesNothing)
      this.#ports.log.warn(
        { command: operation.name },
        "a command has no line of the audit in the transaction of its effect",
      );
    await this.#tell(entry, args);
    return answer;
  }

  /** What came of a command could not even be read: a body that is too large or no JSON. */
  async refused(operation: OperationTerms, caller: Identity, asked: Asked, thrown: unknown): Promise<void> {
    if (operation.kind !== "command") return;
    await this.#note(this.#entryOf(operation, {}, caller, asked), "refused", toRingmasterError(thrown));
  }

  #entryOf(
    { name, args: schema }: OperationTerms,
    args: unknown,
    { playerId, name: operator, role }: Identity,
    { via, requestId: own, logId }: Asked,
    requestId?: string,
  ): AuditEntry {
    const { nodeId, rng } = this.#ports;
    return {
      ...{ operatorId: playerId, operator, role, command: name, via, node: nodeId },
      id: requestId === undefined ? rng.id(16) : lineId(playerId, requestId),
      subject: subjectOf(args),
      args: auditArgs(schema, args),
      requestId: own ?? logId ?? null,
    };
  }

  /**
   * Writes the line of what no effect has written: what was refused or failed, what changed nothing, and what a node of the version before
   * did. Answers whether there was none yet. What has happened, or not, stays as it is when this fails.
   */
  async #note(entry: AuditEntry, outcome: AuditOutcome, error?: RingmasterError): Promise<boolean> {
    const { clock, database, log, rng } = this.#ports;
    // That it was refused is another event than what a call of the same request id did.
    const id = outcome === "refused" ? rng.id(16) : entry.id;
    const note: AuditNote = { entry: { ...entry, id }, at: clock.now(), outcome, error: error?.code ?? null };
    const { operatorId, command } = entry;
    if (outcome === "done") log.info({ operatorId, command }, "an operator's command was carried out");
    return await writeNote(database, note).catch((failure: unknown) => {
      log.warn(
        { err: failure, operatorId, command, outcome, code: error?.code },
        "a line of the audit was not written",
      );
      return false;
    });
  }

  /** The change has happened: a feed that is out of reach must not make it look as if it had not. */
  async #tell({ operatorId, operator, command }: AuditEntry, args: unknown): Promise<void> {
    const { clock, feed, log, rng } = this.#ports;
    const told = Object.entries(args ?? {}).filter(([name, value]) => TOLD.test(name) && typeof value === "string");
    const data = { operatorId, operator, ...Object.fromEntries(told) };
    const event = { key: rng.id(24), topic: AUDIT_TOPIC, at: clock.now(), type: command, data };
    await feed
      .append([event])
      .catch((error: unknown) => log.warn({ err: error }, "the feed of what operators do is out of reach"));
  }
}

const keyOf = (kind: string, name: string): string => `${kind} ${name}`;

/** A request id is its caller's own, and names one line. */
function lineId(operatorId: string, requestId: string): string {
  return createHash("sha256").update(`${operatorId}\n${requestId}`).digest("hex").slice(0, 32);
}

function outcomeOf({ code, status }: RingmasterError): AuditOutcome {
  if (code === "outcome_unknown") return "unknown";
  return status < 500 ? "refused" : "failed";
}

function subjectOf(args: unknown): string | null {
  for (const [name, named] of Object.entries(args ?? {})) {
    const [, event, job] = SUBJECT.exec(name) ?? [];
    const what = event ?? job;
    if (what !== undefined && typeof named === "string") return `${what}:${named.slice(0, 64)}`;
  }
  return null;
}
