import { assertPlayer, assertTime } from "../runtime/inputs.ts";
import type {
  ClaimDecision,
  ClaimRequest,
  ClueLedger,
  DepartDecision,
  ExpireDecision,
  GiveBackDecision,
  GiveBackRequest,
  GiveUpRequest,
  HuntKey,
  IssueDecision,
  LedgerMissing,
  LedgerPaused,
  LedgerSnapshot,
  LedgerView,
  SolveDecision,
  SolveRequest,
  StandingAnswer,
  Undecided,
} from "./ClueLedger.ts";
import { assertLedgerRules } from "./ledgerRules.ts";
import { MemoryHunt } from "./MemoryHunt.ts";
import { rebuild } from "./rebuild.ts";

const MISSING: LedgerMissing = { kind: "missing" };
const PAUSED: LedgerPaused = { kind: "paused" };

/** The ledger of a single process: gone with it, and rebuilt from the database like one that Redis has lost. */
export class MemoryClueLedger implements ClueLedger {
  readonly #hunts = new Map<string, MemoryHunt>();

  async claim(hunt: HuntKey, request: ClaimRequest): Promise<ClaimDecision> {
    assertPlayer(request.playerId, request.playerName);
    assertTime(request.now);
    return this.#decide(hunt, (known) => known.claim(request));
  }

  async solve(hunt: HuntKey, request: SolveRequest): Promise<SolveDecision> {
    assertPlayer(request.playerId);
    assertTime(request.now);
    return this.#decide(hunt, (known) => known.solve(request));
  }

  async giveBack(hunt: HuntKey, request: GiveBackRequest): Promise<GiveBackDecision> {
    assertPlayer(request.playerId);
    assertTime(request.now);
    return this.#decide(hunt, (known) => known.giveBack(request));
  }

  async depart(hunt: HuntKey, playerId: string, token: string): Promise<Undecided | DepartDecision> {
    assertPlayer(playerId);
    return this.#decide(hunt, (known) => known.depart(playerId, token));
  }

  async giveUp(hunt: HuntKey, request: GiveUpRequest): Promise<GiveBackDecision> {
    assertPlayer(request.playerId);
    assertTime(request.now);
    return this.#decide(hunt, (known) => known.giveUp(request));
  }

  async issue(hunt: HuntKey, issued: number, now: number): Promise<Undecided | IssueDecision> {
    assertTime(now);
    return this.#decide(hunt, (known) => known.issue(issued, now));
  }

  async expire(hunt: HuntKey, now: number): Promise<Undecided | ExpireDecision> {
    assertTime(now);
    return this.#decide(hunt, (known) => known.expire(now));
  }

  async attend(hunt: HuntKey, playerId: string, nodeId: string): Promise<boolean> {
    assertPlayer(playerId);
    return this.#current(hunt)?.attend(playerId, nodeId) ?? false;
  }

  async forget(hunt: HuntKey, playerId: string, nodeId: string, live: readonly string[]): Promise<void> {
    assertPlayer(playerId);
    this.#current(hunt)?.forget(playerId, nodeId, live);
  }

  async sweep(hunt: HuntKey, live: readonly string[], { drop }: { after: number; drop: boolean }): Promise<undefined> {
    this.#current(hunt)?.sweep(live, drop);
  }

  async positions(hunt: HuntKey, playerIds: readonly string[]): Promise<number[] | undefined> {
    return this.#hunts.get(hunt.id)?.positions(playerIds);
  }

  async read(hunt: HuntKey, top: number): Promise<LedgerView | undefined> {
    return this.#hunts.get(hunt.id)?.read(top);
  }

  async standing(hunt: HuntKey, playerId: string): Promise<LedgerMissing | StandingAnswer> {
    assertPlayer(playerId);
    const standing = this.#hunts.get(hunt.id)?.standing(playerId);
    return standing ? { kind: "standing", ...standing } : MISSING;
  }

  async load(hunt: HuntKey, snapshot: LedgerSnapshot): Promise<boolean> {
    assertLedgerRules(hunt.rules);
    const rebuilt = await rebuild(hunt.rules, snapshot);
    const current = this.#hunts.get(hunt.id);
    if (current !== undefined && current.epoch >= snapshot.epoch) return false;
    this.#hunts.set(hunt.id, new MemoryHunt(hunt.rules, rebuilt, hunt.pauses));
    return true;
  }

  async pause(hunt: Pick<HuntKey, "id">, count: number): Promise<void> {
    this.#hunts.get(hunt.id)?.hearPauses(count);
  }

  async drop(hunt: Pick<HuntKey, "id">): Promise<void> {
    this.#hunts.delete(hunt.id);
  }

  async close(): Promise<void> {
    this.#hunts.clear();
  }

  #decide<D>(hunt: HuntKey, ask: (known: MemoryHunt) => D): D | Undecided {
    if (!this.#hunts.has(hunt.id)) return MISSING;
    const known = this.#current(hunt);
    return known ? ask(known) : PAUSED;
  }

  /** The hunt, unless it was paused or resumed since the caller knows. */
  #current({ id, pauses = 0 }: HuntKey): MemoryHunt | undefined {
    const known = this.#hunts.get(id);
    return known?.hearPauses(pauses) ? known : undefined;
  }
}
