import { AsyncLocalStorage } from "node:async_hooks";
import type { Turn } from "./Turn.ts";

interface TurnContext {
  /** The actors whose turns wait for each other, outermost first. */
  chain: string[];
  turn: Turn;
}

const turnContext = new AsyncLocalStorage<TurnContext | undefined>();

/** Runs `work` as part of a turn, with all that it starts. */
export function insideTurn<T>(context: TurnContext, work: () => T): T {
  return turnContext.run(context, work);
}

/** The turn that the calling code is part of; none for code that merely was started by a turn that has ended since. */
export function currentTurn(): TurnContext | undefined {
  const context = turnContext.getStore();
  return context?.turn.running ? context : undefined;
}

/** Runs what no turn waits for, also where a turn happens to have set it off. */
export function outsideTurns<T>(work: () => T): T {
  return turnContext.run(undefined, work);
}
