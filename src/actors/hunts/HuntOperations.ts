import type { Rng } from "../../clock.ts";
import { type EventChange, eventChanges } from "../../entities/events/EventChange.ts";
import { type EventStatus, statusPart, withStatus } from "../../entities/events/EventStatus.ts";
import type { ReviewReport } from "../../entities/events/Review.ts";
import type { HuntFigures, HuntListing, HuntPhase, HuntRecord, Hunts } from "../../entities/hunts/Hunt.ts";
import type { ItemAmount } from "../../entities/prizes/PrizeLedger.ts";
import type { Sql } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import type { ClueLedger, Standing } from "../../stores/hunts/ClueLedger.ts";
import { callOptions, type OperatorCall } from "../admin/operatorCall.ts";
import { EventInterventions } from "../events/EventInterventions.ts";
import { amountsOf, totalsOf } from "../prizes/amounts.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { HuntCorrection, HuntDefinition } from "./definition.ts";
import type { FiguresReader } from "./FiguresReader.ts";
import { HuntActor } from "./HuntActor.ts";
import { HuntView } from "./HuntView.ts";
import { TOP } from "./LedgerRefresh.ts";
import { bestScores } from "./scores.ts";
import { sealHunt } from "./sealing.ts";
import type { HuntStatus } from "./state.ts";

/** A hunt in a list. Times are epoch milliseconds. */
export interface HuntSummary extends EventStatus {
  id: string;
  name: string;
  phase: HuntPhase;
  startsAt: number;
  /** When the phase changes next; `null` once the hunt is finished or cancelled. */
  phaseEndsAt: number | null;
  /** Of a hunt that is cancelled, not in a list: whether its winners had been paid by then, who keep what they have. */
  prizes?: "paid" | "unpaid";
}

/** A hunt by itself. Nothing of it helps to solve a clue. */
export interface HuntDetails extends HuntSummary {
  clueTtlMs: number;
  attempts: number;
  /** How many win. */
  winners: number;
  /** Clue templates, and instances of them in all. */
  clues: number;
  instances: number;
  players: number;
  solved: number;
  /** The top ten; frozen from the reveal on. */
  standings: Standing[];
}

/** What is to be reviewed of a hunt: nobody and nothing before its result is held. */
export interface HuntReview extends ReviewReport {
  /** Who were ever given a clue. */
  players: number;
  winners: Array<Standing & { prizes: ItemAmount[] }>;
  /** What all winners get together. */
  totals: ItemAmount[];
}

export interface HuntOperationsPorts {
  actors: Actors;
  hunts: Hunts;
  ledger: ClueLedger;
  figures: FiguresReader;
  database: Pick<Sql, "query">;
  rng: Rng;
}

/** Where operators run hunts and everybody reads of them. Each call but `list` throws `not_found` for an id that no hunt has. */
export class HuntOperations extends EventInterventions<HuntStatus, HuntSummary> {
  readonly #ports: HuntOperationsPorts;

  constructor(ports: HuntOperationsPorts) {
    super();
    this.#ports = ports;
  }

  /** Those on and coming, soonest first, then those that are over, latest first; as many as are worth a look. */
  async list(): Promise<HuntSummary[]> {
    return (await this.#ports.hunts.list()).map(summaryOf);
  }

  async get(id: string): Promise<HuntDetails> {
    const record = await this.#ports.hunts.get(id);
    if (!record) throw new RingmasterError("not_found", `There is no hunt ${id}.`);
    const { clueTtlMs, attempts, winners, clues, repeat } = record.definition;
    return {
      ...summaryOf(withStatus(record)),
      ...(record.phase === "cancelled" && { prizes: record.winners ? ("paid" as const) : ("unpaid" as const) }),
      clueTtlMs,
      attempts,
      winners,
      clues: clues.length,
      instances: clues.length * repeat,
      ...(await this.#figuresOf(record)),
    };
  }

  async #figuresOf(record: HuntRecord): Promise<HuntFigures> {
    if (record.figures) return record.figures;
    const { ledger, figures } = this.#ports;
    const view =
      record.phase === "solving" ? await ledger.read(new HuntView(record).key, TOP).catch(() => undefined) : undefined;
    if (view) return { players: view.players, solved: view.solved, standings: view.top };
    return figures.read(record.id, record.phase === "finished" || record.phase === "cancelled");
  }

  /** Creates a hunt. Throws `not_found` for a prize that is no item, `invalid_payload` for one that is too large. */
  async create(id: string, definition: HuntDefinition, call: OperatorCall): Promise<void> {
    const sealed = sealHunt(definition, this.#ports.rng);
    await this.actor(id, call).create(sealed, call.operatorId);
  }

  /**
   * Replaces the definition of one that is scheduled, its times too. Throws `wrong_phase` once it has begun, else what `create` does.
   */
  async correct(id: string, { definition, reason }: HuntCorrection, call: OperatorCall): Promise<HuntSummary> {
    const sealed = sealHunt(definition, this.#ports.rng);
    return summaryOf(await this.actor(id, call).correct(sealed, { operatorId: call.operatorId, reason }));
  }

  /** What operators did to it with a reason, latest first. */
  async changes(id: string, limit: number): Promise<EventChange[]> {
    return eventChanges(this.#ports.database, "hunts", id, limit);
  }

  /** The result as it would be paid; nobody's before it is held. */
  async review(id: string): Promise<HuntReview> {
    const report = await this.#ports.actors.ref(HuntActor, id).review();
    const nothing = { ...report, players: 0, winners: [], totals: [] };
    if (report.since === null) return nothing;
    const { hunts, database } = this.#ports;
    const record = await hunts.get(id);
    if (!record) return nothing;
    const { winners: most, prizes } = record.definition;
    const winners = await bestScores(database, id, most);
    return {
      ...report,
      players: record.figures?.players ?? 0,
      winners: winners.map((winner) => ({ ...winner, prizes: amountsOf(winner.rank, prizes) })),
      totals: totalsOf(winners.length, prizes),
    };
  }

  protected actor(id: string, call: OperatorCall) {
    return this.#ports.actors.ref(HuntActor, id, callOptions(call));
  }

  protected summaryOf(status: HuntStatus): HuntSummary {
    return summaryOf(status);
  }
}

function summaryOf({ phaseEndsAt, ...hunt }: HuntStatus | HuntListing): HuntSummary {
  const { id, name, phase, startsAt } = hunt;
  const prizes = "prizes" in hunt ? { prizes: hunt.prizes! } : {};
  return {
    id,
    name,
    phase,
    startsAt,
    phaseEndsAt: phaseEndsAt === 0 ? null : phaseEndsAt,
    ...prizes,
    ...statusPart(hunt),
  };
}
