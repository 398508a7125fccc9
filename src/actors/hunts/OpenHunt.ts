import type { Clock } from "../../clock.ts";
import type { HuntRecord, Hunts, Winner } from "../../entities/hunts/Hunt.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import type { ClueLedger, LedgerView } from "../../stores/hunts/ClueLedger.ts";
import { EventViews, type OpenEvent, type Upkeep } from "../events/EventViews.ts";
import type { Log } from "../runtime/ports.ts";
import { CommittedAssignments } from "./CommittedAssignments.ts";
import type { FiguresReader } from "./FiguresReader.ts";
import { HuntActor } from "./HuntActor.ts";
import { type HuntAudience, HuntView } from "./HuntView.ts";
import { LedgerRefresh } from "./LedgerRefresh.ts";
import { Positions } from "./Positions.ts";
import type { PhaseNews } from "./state.ts";

export interface OpenHuntPorts {
  hunts: Pick<Hunts, "figures" | "get" | "has">;
  ledger: ClueLedger;
  figures: FiguresReader;
  clock: Clock;
  log: Log;
  /** Revokes what has expired; resolves with whether some of it is left. */
  expire(hunt: OpenHunt): Promise<boolean>;
  /** Loads the ledger of a paused hunt. */
  load(hunt: OpenHunt): Promise<void>;
  /** How the ledger stands is known anew; `isOwn` when this node has read it, and peers should be told. */
  onLedger(hunt: OpenHunt, view: LedgerView, isOwn: boolean): void;
  /** The hunt is over, or has no rooms here any more. */
  removeGauges(huntId: string): void;
}

/** The hunts that have rooms on this node. */
export type OpenHunts = EventViews<HuntAudience, OpenHunt, HuntRecord>;

export function openHunts(ports: OpenHuntPorts & { feed: Feed }): OpenHunts {
  const { hunts } = ports;
  const open = (record: HuntRecord, upkeep: Upkeep): OpenHunt => new OpenHunt(record, upkeep, ports);
  return new EventViews({ actor: HuntActor, has: (id) => hunts.has(id), get: (id) => hunts.get(id), open }, ports);
}

/** A view that no ledger's can replace. */
const FROZEN = { epoch: Number.MAX_SAFE_INTEGER, version: 0, pool: 0, waiting: 0, issued: 0, open: 0, nextExpiry: 0 };

/** A hunt that has rooms on this node, from its first room to its last: what is known of it, and what keeps that up to date. */
export class OpenHunt extends HuntView implements OpenEvent<HuntAudience, HuntRecord> {
  readonly refresh: LedgerRefresh;
  readonly positions: Positions;
  readonly committed = new CommittedAssignments();
  /** Whether more clues are being asked for. */
  isDemanding = false;
  /** Whether everybody who waits here was asked about since every clue is solved. */
  isExhausted = false;
  readonly #ports: OpenHuntPorts;
  readonly #upkeep: Upkeep;

  constructor(record: HuntRecord, upkeep: Upkeep, ports: OpenHuntPorts) {
    super(record);
    this.#ports = ports;
    this.#upkeep = upkeep;
    const { ledger, clock, log } = ports;
    this.refresh = new LedgerRefresh(this, {
      ...{ ledger, clock, log },
      expire: () => ports.expire(this),
      load: () => ports.load(this),
      show: (view, isOwn) => ports.onLedger(this, view, isOwn),
    });
    this.positions = new Positions(this, { ledger, clock, log });
  }

  opened(): void {
    const isCounted = this.phase === "reveal" || this.phase === "finished" || this.reviewSince !== undefined;
    if (isCounted) this.#showFrozen();
    this.refresh.touch();
  }

  onEvent({ type, data }: FeedEvent): void {
    if (type === "phase") {
      const news = data as PhaseNews;
      if (this.hearRevision(news.revision ?? 0)) this.#upkeep.lookUp();
      this.#enter(news);
    }
    if (type === "chest") this.#showChest((data as { winners: Winner[] }).winners);
  }

  catchUp(record: HuntRecord): void {
    const { phase, phaseEndsAt, pausing, winners } = record;
    const [reviewSince, cancelReason] = [record.reviewSince ?? undefined, record.cancelReason ?? undefined];
    this.correct(record);
    if (winners && !this.winners) this.#showChest(winners);
    const isSamePhase = phase === this.phase && phaseEndsAt === this.phaseEndsAt;
    const isKnown = isSamePhase && pausing?.count === this.pausing?.count && reviewSince === this.reviewSince;
    if (!isKnown) this.#enter({ phase, endsAt: phaseEndsAt, ...(pausing && { pausing }), reviewSince, cancelReason });
    this.refresh.touch();
  }

  override closed(): void {
    super.closed();
    this.refresh.stop();
    this.positions.stop();
    this.#ports.removeGauges(this.id);
  }

  #enter(news: PhaseNews): void {
    const { phase } = news;
    this.moveTo(news);
    if (this.reviewSince !== undefined) this.#showFrozen();
    // What is open ends later, or not at all for now.
    if (news.pausing) this.refresh.touch();
    if (phase === "finished" || phase === "cancelled") this.#ports.removeGauges(this.id);
  }

  #showChest(winners: Winner[]): void {
    this.openChest(winners);
    this.#showFrozen();
  }

  /** Once all is counted, the standings are what is committed, not what a ledger may have decided at the last moment. */
  #showFrozen(): void {
    const { hunts, figures } = this.#ports;
    this.#upkeep.persist("the frozen standings could not be read", async () => {
      const { players, solved, standings } = (await hunts.figures(this.id)) ?? (await figures.read(this.id, true));
      this.show({ ...FROZEN, players, solved, top: standings });
    });
  }
}
