import { AssignmentJournal } from "../../src/actors/hunts/AssignmentJournal.ts";
import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";
import { FiguresReader } from "../../src/actors/hunts/FiguresReader.ts";
import { HuntActor, huntKind } from "../../src/actors/hunts/HuntActor.ts";
import { type ClaimAnswer, HuntService } from "../../src/actors/hunts/HuntService.ts";
import { type ClueCard, type HuntAudience, HuntView } from "../../src/actors/hunts/HuntView.ts";
import type { OpenHunt } from "../../src/actors/hunts/OpenHunt.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { type HuntPhase, Hunts, type Winner } from "../../src/entities/hunts/Hunt.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import type { ClueLedger, LedgerView } from "../../src/stores/hunts/ClueLedger.ts";
import { MemoryClueLedger } from "../../src/stores/hunts/MemoryClueLedger.ts";
import { ManualClock, SimulatedNode, silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { someSealedHunt } from "./someHunt.ts";

/** Who sits in a room of one node, and what they were told there. */
export class Row implements HuntAudience {
  readonly clues: [string, ClueCard][] = [];
  readonly revoked: [string, string][] = [];
  readonly positions: [string, number][] = [];
  readonly quit: string[] = [];
  readonly exhausted: string[] = [];
  readonly phases: HuntPhase[] = [];
  readonly chests: Winner[][] = [];
  readonly players = new Set<string>();
  /** Who has more than one connection, and how many. */
  readonly tabs = new Map<string, number>();
  /** Who has dropped out, and may come back to their seat. */
  readonly dropped = new Set<string>();
  /** How often the definition was corrected. */
  corrected = 0;
  /** The best players, as they were shown last. */
  top: string[] = [];
  /** What its node knows of the hunt; there once the room is in. */
  hunt: OpenHunt | undefined;
  /** Clues that players have, as it was shown last. */
  open = 0;

  has(playerId: string): boolean {
    return this.players.has(playerId);
  }

  connections(playerId: string): number {
    return this.players.has(playerId) ? (this.tabs.get(playerId) ?? 1) : 0;
  }

  keeps(playerId: string): boolean {
    return this.players.has(playerId) || this.dropped.has(playerId);
  }

  onClue(playerId: string, card: ClueCard): void {
    if (this.players.has(playerId)) this.clues.push([playerId, card]);
  }

  onRevoked(playerId: string, assignmentId: string): void {
    if (this.players.has(playerId)) this.revoked.push([playerId, assignmentId]);
  }

  onPosition(playerId: string, position: number): void {
    if (this.players.has(playerId)) this.positions.push([playerId, position]);
  }

  onQuit(playerId: string): void {
    if (this.players.has(playerId)) this.quit.push(playerId);
  }

  onExhausted(playerId: string): void {
    if (this.players.has(playerId)) this.exhausted.push(playerId);
  }

  onPhase(phase: HuntPhase): void {
    this.phases.push(phase);
  }

  onCorrected(): void {
    this.corrected += 1;
  }

  onChest(winners: Winner[]): void {
    this.chests.push(winners);
  }

  onView({ open, top }: LedgerView): void {
    this.top = top.map(({ playerId }) => playerId);
    this.open = open;
  }
}

/** A node's service with one room at it. */
export interface Service {
  node: SimulatedNode;
  service: HuntService;
  row: Row;
  hunt: OpenHunt;
  leave(): void;
  claim(playerId: string): Promise<ClaimAnswer>;
}

/** Nodes with services on one database, one feed and, unless told otherwise, one ledger, in a time of their own. */
export class ServiceCluster {
  readonly clock = new ManualClock();
  readonly hub = new MemoryHub();
  readonly feed = new MemoryFeed();
  readonly ledger: ClueLedger;
  readonly database: Database;
  /** What the hunt `h` shall be; to be set before the first node joins. */
  plan: Partial<HuntDefinition> = {};
  /** How often a node counted a result as forgotten. */
  reviewsOverdue = 0;
  /** Whether it is begun as soon as it is made. */
  isStarted = true;

  static async open(ledger: ClueLedger = new MemoryClueLedger()): Promise<ServiceCluster> {
    return new ServiceCluster(await openDatabase({ kind: "sqlite", path: ":memory:" }), ledger);
  }

  private constructor(database: Database, ledger: ClueLedger) {
    this.database = database;
    this.ledger = ledger;
  }

  /** Adds a node whose room is at the hunt `h`. */
  async join(id: string, parts: { journal?: AssignmentJournal; feed?: MemoryFeed } = {}): Promise<Service> {
    const { clock, database, hub } = this;
    const feed = parts.feed ?? this.feed;
    const node = new SimulatedNode({ id, hub, database, clock, feed: this.feed }, [
      huntKind({ ledger: this.ledger, log: silentLog, reviewOverdue: () => void this.reviewsOverdue++ }),
    ]);
    await node.actors.start();
    const service = new HuntService({
      ...{ actors: node.actors, hunts: new Hunts(database), feed, clock, log: silentLog },
      figures: new FiguresReader({ database, clock }),
      ledger: this.ledger,
      journal: parts.journal ?? new AssignmentJournal(database, clock),
      setGauges: () => {},
      removeGauges: () => {},
    });
    await this.within(this.#ensureHunt(node));
    return await this.another({ node, service });
  }

  /** Another room at the same service. */
  async another({ node, service }: Pick<Service, "node" | "service">): Promise<Service> {
    const row = new Row();
    const { event: hunt, leave } = await this.within(service.views.join("h", row));
    row.hunt = hunt;
    const claim = (playerId: string): Promise<ClaimAnswer> => {
      row.players.add(playerId);
      return this.within(service.claim(hunt, { playerId, name: playerId.toUpperCase() }));
    };
    return { node, service, row, hunt, leave, claim };
  }

  /** A feed on which nothing is heard. */
  deaf(): MemoryFeed {
    return new MemoryFeed();
  }

  /** The ledger loses the hunt. */
  async lose(): Promise<void> {
    const { key } = new HuntView((await new Hunts(this.database).get("h"))!);
    await this.ledger.drop(key);
  }

  async #ensureHunt(node: SimulatedNode): Promise<void> {
    if (await new Hunts(this.database).get("h")) return;
    const hunt = node.actors.ref(HuntActor, "h");
    await hunt.create(someSealedHunt({ startsAt: this.clock.now() + 3_600_000, ...this.plan }), "op");
    if (this.isStarted) await hunt.start();
  }

  /** Runs something to its end while a little time passes. */
  within<T>(work: Promise<T>, ms = 20_000): Promise<T> {
    return this.clock.within(ms, work);
  }
}
