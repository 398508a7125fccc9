import { monitorEventLoopDelay } from "node:perf_hooks";
import type { LoadAnswer, LoadRequest } from "./load.ts";

/** Answers what a `Load` asks for. `prepare` gets turns ready and resolves with when they are due; each that is stored calls `stored`. */
export function serveLoad(prepare: (turns: number) => Promise<number>): { stored(): void } {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let [turns, stored] = [0, 0];
  let finished = Promise.withResolvers<void>();
  delay.enable();

  async function answer(request: LoadRequest): Promise<Omit<LoadAnswer, "id">> {
    if ("prepare" in request) {
      [turns, stored] = [request.prepare, 0];
      finished = Promise.withResolvers();
      const dueAt = await prepare(turns);
      delay.reset();
      return { dueAt };
    }
    if ("look" in request) return { stored, longestStopMs: Math.round(delay.max / 1e6) };
    await finished.promise;
    return {};
  }

  process.on("message", async (request: LoadRequest) => {
    process.send!({ id: request.id, ...(await answer(request)) });
  });
  // The bench is gone: so is the reason to be here.
  process.once("disconnect", () => process.exit(1));
  return {
    stored: () => {
      stored += 1;
      if (stored === turns) finished.resolve();
    },
  };
}
