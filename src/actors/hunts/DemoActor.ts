import { Actor, type TimerHandlers } from "../runtime/Actor.ts";
import { DEMO_HUNT } from "./demo.ts";
import { HuntActor } from "./HuntActor.ts";
import { sealHunt } from "./sealing.ts";

/** Rounds kept; older ones are deleted, so that an unattended demo does not grow. */
const ROUNDS_KEPT = 20;
const ROUND_MS = DEMO_HUNT.discoveryMs + DEMO_HUNT.solvingMs + DEMO_HUNT.revealMs;

/** Runs the demo: one round of the demo hunt after another, so that there is always something to play. */
export class DemoActor extends Actor<{ round: number; running: boolean }> {
  static readonly kind = "demo";
  static initial(): { round: number; running: boolean } {
    return { round: 0, running: false };
  }

  async start(): Promise<void> {
    if (this.state.running) return;
    this.state.running = true;
    this.every("round", ROUND_MS, { policy: "coalesce" });
    await this.#begin();
  }

  async stop(): Promise<void> {
    if (!this.state.running) return;
    this.state.running = false;
    this.cancelTimer("round");
  }

  readonly timers: TimerHandlers = { round: () => this.#begin() };

  async #begin(): Promise<void> {
    this.state.round += 1;
    this.send(HuntActor, `demo-${this.state.round}`).create(
      sealHunt({ ...DEMO_HUNT, startsAt: this.now }, this.rng),
      "demo",
    );
    await this.#destroy(`demo-${this.state.round - ROUNDS_KEPT}`);
  }

  async #destroy(huntId: string): Promise<void> {
    const sql = await this.sql();
    await sql.write("DELETE FROM hunt_assignments WHERE hunt_id = ?", [huntId]);
    await sql.write("DELETE FROM hunts WHERE id = ?", [huntId]);
    await sql.write("DELETE FROM actors WHERE kind = ? AND id = ? AND due_at IS NULL", [HuntActor.kind, huntId]);
  }
}
