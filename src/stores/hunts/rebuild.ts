import { type AssignmentRow, type LedgerRules, type LedgerSnapshot, OUTCOME } from "./ClueLedger.ts";
import { templateOf } from "./ledgerRules.ts";
import { TemplateHistory } from "./TemplateHistory.ts";

/** The hot state of a hunt as its committed rows tell it, in the shape that both ledgers load. */
export interface RebuiltLedger {
  epoch: number;
  issued: number;
  /** By template, the lowest instance such that neither it nor any after it was ever given to anybody. */
  next: number[];
  /** How many instances were ever given. */
  given: number;
  solved: number;
  /** By template, how many instances are solved. */
  solvedOf: number[];
  /** The highest `solveSeq` so far. */
  solveSeq: number;
  /** Instances below their template's `next` that are in the pool, in order, each with the generation of its next holder. */
  returned: { instance: number; generation: number }[];
  players: Map<string, RebuiltPlayer>;
}

export interface RebuiltPlayer {
  name: string;
  /** Points of all solved rows. */
  total: number;
  /** `solveSeq` of the last solved row: when the total was reached. */
  reachedSeq: number;
  open: AssignmentRow | undefined;
  /** The assignment closed last: solving it again gets its decision again. */
  last: AssignmentRow | undefined;
  history: TemplateHistory;
}

/** Somebody who was never given anything. */
export function newPlayer(name: string): RebuiltPlayer {
  const history = new TemplateHistory();
  return { name, total: 0, reachedSeq: 0, open: undefined, last: undefined, history };
}

/**
 * Folds the committed rows of a hunt (each once, in any order) into its hot state.
 * Keeps four bytes an instance, and three rows and what they have done with each template a player, while it runs.
 */
export async function rebuild(rules: LedgerRules, snapshot: LedgerSnapshot): Promise<RebuiltLedger> {
  const fold = new Fold(rules);
  for await (const row of snapshot.rows) fold.add(row);
  return fold.finish(snapshot);
}

class Fold {
  readonly #rules: LedgerRules;
  readonly #marks = new InstanceMarks();
  /** Open rows of the highest generation of their instance. */
  readonly #open = new Map<number, AssignmentRow>();
  readonly #players = new Map<string, RebuiltPlayer>();
  /** Each player's newest row, which has the name that the player goes by. */
  readonly #newest = new Map<string, AssignmentRow>();
  readonly #next: number[];
  readonly #solvedOf: number[];
  /** The lowest instance after all that have a row. */
  #end = 0;
  #solved = 0;
  #solveSeq = 0;

  constructor(rules: LedgerRules) {
    this.#rules = rules;
    this.#next = rules.points.map((_, template) => template);
    this.#solvedOf = rules.points.map(() => 0);
  }

  add(row: AssignmentRow): void {
    const player = this.#playerOf(row);
    const newest = this.#newest.get(row.playerId);
    if (newest === undefined || isNewer(row, newest)) {
      this.#newest.set(row.playerId, row);
      player.name = row.playerName;
    }
    if (row.outcome !== OUTCOME.open) this.#close(row);
    if (row.outcome === OUTCOME.solved) {
      this.#solved += 1;
      this.#solvedOf[templateOf(this.#rules, row.instance)]! += 1;
      this.#solveSeq = Math.max(this.#solveSeq, row.solveSeq);
      player.total += row.points;
      player.reachedSeq = Math.max(player.reachedSeq, row.solveSeq);
    }
    this.#end = Math.max(this.#end, row.instance + 1);
    const template = templateOf(this.#rules, row.instance);
    this.#next[template] = Math.max(this.#next[template]!, row.instance + this.#rules.points.length);
    this.#keepLatest(row);
  }

  finish(snapshot: LedgerSnapshot): RebuiltLedger {
    for (const row of this.#open.values()) this.#hold(row);
    const templates = this.#rules.points.length;
    return {
      epoch: snapshot.epoch,
      issued: Math.max(snapshot.issued, this.#end),
      next: this.#next,
      given: this.#next.reduce((sum, instance, template) => sum + (instance - template) / templates, 0),
      solved: this.#solved,
      solvedOf: this.#solvedOf,
      solveSeq: this.#solveSeq,
      returned: [...this.#returned()],
      players: this.#players,
    };
  }

  *#returned(): Generator<{ instance: number; generation: number }> {
    for (let instance = 0; instance < this.#end; instance += 1) {
      if (instance >= this.#next[templateOf(this.#rules, instance)]!) continue;
      // Generation 0: given only by decisions that were lost before their commit, which is as good as never given.
      const { generation, outcome } = this.#marks.get(instance);
      const open = this.#open.get(instance);
      const isHeld = open !== undefined && this.#playerOf(open).open === open;
      if (!isHeld && outcome !== OUTCOME.solved) yield { instance, generation: generation + 1 };
    }
  }

  #playerOf(row: AssignmentRow): RebuiltPlayer {
    let player = this.#players.get(row.playerId);
    if (player === undefined) {
      player = newPlayer(row.playerName);
      this.#players.set(row.playerId, player);
    }
    return player;
  }

  #keepLatest(row: AssignmentRow): void {
    const isLatest = row.generation > this.#marks.get(row.instance).generation;
    const outdated = isLatest ? this.#open.get(row.instance) : row;
    if (outdated !== undefined) this.#abandonOpen(outdated);
    if (!isLatest) return;
    this.#marks.set(row);
    if (row.outcome === OUTCOME.open) this.#open.set(row.instance, row);
    else this.#open.delete(row.instance);
  }

  /** One open assignment a player: the newest stays, the other's instance falls to the pool. */
  #hold(row: AssignmentRow): void {
    const player = this.#playerOf(row);
    const other = player.open;
    if (other === undefined || isNewer(row, other)) player.open = row;
    if (other !== undefined) this.#abandonOpen(player.open === row ? other : row);
  }

  /** An open row whose instance went on: its revocation was decided, and lost before its commit. */
  #abandonOpen(row: AssignmentRow): void {
    if (row.outcome === OUTCOME.open) this.#close({ ...row, outcome: OUTCOME.expired, closedAt: row.openedAt });
  }

  #close(row: AssignmentRow): void {
    const player = this.#playerOf(row);
    player.history.close(this.#rules, row);
    const last = player.last;
    const isLater = last === undefined || row.closedAt > last.closedAt;
    if (isLater || (row.closedAt === last.closedAt && isNewer(row, last))) player.last = row;
  }
}

function isNewer(row: AssignmentRow, than: AssignmentRow): boolean {
  if (row.openedAt !== than.openedAt) return row.openedAt > than.openedAt;
  return row.instance !== than.instance ? row.instance > than.instance : row.generation > than.generation;
}

/** The highest generation of each instance and its outcome, in four bytes: a hunt may have millions of instances. */
class InstanceMarks {
  #marks = new Uint32Array(1024);

  /** Generation 0 when the instance has no row. */
  get(instance: number): { generation: number; outcome: number } {
    const mark = this.#marks[instance] ?? 0;
    return { generation: mark >>> 3, outcome: mark & 7 };
  }

  set({ instance, generation, outcome }: AssignmentRow): void {
    if (instance >= this.#marks.length) {
      const grown = new Uint32Array(Math.max(instance + 1, this.#marks.length * 2));
      grown.set(this.#marks);
      this.#marks = grown;
    }
    this.#marks[instance] = (generation << 3) | outcome;
  }
}
