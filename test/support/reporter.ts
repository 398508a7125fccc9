import Mocha from "mocha";
import { run } from "./run.ts";

/** Mocha's own `spec` output, and a last line that counts: `12 passed, 0 failed`, and `, 1 skipped` if there are any. */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.on("fail", () => {
      for (const task of run.failure) task();
    });
  }

  override epilogue(): void {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    const skipped = pending > 0 ? `, ${pending} skipped` : "";
    process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`);
  }
}
