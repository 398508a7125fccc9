import { gameById } from "../../entities/tournaments/Game.ts";
import { Actor, type TimerHandlers } from "../runtime/Actor.ts";
import { termsOf } from "./definition.ts";
import { DEMO_ROUND_MS, DEMO_TOURNAMENT } from "./demo.ts";
import { TournamentActor } from "./TournamentActor.ts";

/** Rounds kept, an hour's; those that nobody has played are deleted then, so that an unattended demo does not grow. */
const ROUNDS_KEPT = 20;
/** Rounds that were played are kept for as long as pools, rankings and the weekly draw look back, and a little longer: nine days. */
const PLAYED_ROUNDS_KEPT = (9 * 24 * 3_600_000) / DEMO_ROUND_MS;

export interface TournamentDemoState {
  round: number;
  isRunning: boolean;
  /** When the last round that has been created closes, in epoch milliseconds. */
  plannedTo: number;
}

/** Runs the demo: one round of the demo tournament after another, so that there is always one open and the next one announced. */
export class TournamentDemoActor extends Actor<TournamentDemoState> {
  static readonly kind = "tournament-demo";
  static initial(): TournamentDemoState {
    return { round: 0, isRunning: false, plannedTo: 0 };
  }

  async start(): Promise<void> {
    if (this.state.isRunning) return;
    this.state.isRunning = true;
    this.every("round", DEMO_ROUND_MS, { policy: "coalesce" });
    await this.#plan();
  }

  /** The rounds that there are take place, and no further ones. */
  async stop(): Promise<void> {
    if (!this.state.isRunning) return;
    this.state.isRunning = false;
    this.cancelTimer("round");
  }

  readonly timers: TimerHandlers = { round: () => this.#plan() };

  /** Announces rounds until the one after the present one. */
  async #plan(): Promise<void> {
    const sql = await this.sql();
    const game = await gameById(sql, DEMO_TOURNAMENT.game);
    while (this.state.plannedTo < this.now + 1.5 * DEMO_ROUND_MS) {
      const startsAt = Math.max(this.now, this.state.plannedTo);
      const endsAt = startsAt + DEMO_ROUND_MS;
      this.state.round += 1;
      this.state.plannedTo = endsAt;
      const terms = termsOf({ ...DEMO_TOURNAMENT, startsAt, endsAt }, game);
      this.send(TournamentActor, idOf(this.state.round)).create(terms, "demo", null);
      await this.#forgetUnplayed(idOf(this.state.round - ROUNDS_KEPT));
      await this.#destroy(idOf(this.state.round - PLAYED_ROUNDS_KEPT));
    }
  }

  async #forgetUnplayed(id: string): Promise<void> {
    const sql = await this.sql();
    const played = await sql.query("SELECT 1 FROM score_entries WHERE tournament_id = ? LIMIT 1", [id]);
    if (played.length === 0) await this.#destroy(id);
  }

  async #destroy(id: string): Promise<void> {
    const sql = await this.sql();
    for (const table of ["score_entries", "standings", "tournament_entrants"])
      await sql.write(`DELETE FROM ${table} WHERE tournament_id = ?`, [id]);
    await sql.write("DELETE FROM tournaments WHERE id = ?", [id]);
    await sql.write("DELETE FROM actors WHERE kind = ? AND id = ? AND due_at IS NULL", [TournamentActor.kind, id]);
  }
}

const idOf = (round: number): string => `demo-${round}`;
