import { inRoot, inSpan, resumed, type SpanStart } from "../../tracing.ts";
import type { WaitingTurn } from "./Mailbox.ts";
import type { CallOutcome } from "./protocol.ts";

/** Takes a turn as a part of its caller's trace; that of a timer begins one of its own, which links to the turn that set the timer. */
export function tracedTurn(
  { kind, nodeId }: { kind: string; nodeId: string },
  waiting: WaitingTurn,
  take: () => Promise<CallOutcome>,
): Promise<CallOutcome> {
  const start = (): SpanStart => ({
    name: nameOf(kind, waiting.label),
    attributes: { "ringmaster.actor.kind": kind, "ringmaster.node": nodeId },
  });
  const run = async (span?: { setAttribute(name: string, value: string): unknown }): Promise<CallOutcome> => {
    const outcome = await take();
    if (outcome.kind !== "ok")
      span?.setAttribute("error.type", outcome.kind === "error" ? outcome.error.code : "moved");
    return outcome;
  };
  if (waiting.origin === "timer") return inRoot(start, run, { by: [waiting.cause] });
  return resumed(waiting.trace, () => inSpan(start, run));
}

const TIMER = "timer ";

/** Timers of messages that are sent later are numbered: their names are no fixed set. */
function nameOf(kind: string, label: string): string {
  if (!label.startsWith(TIMER)) return `turn ${kind}.${label}`;
  const name = label.slice(TIMER.length);
  return `${TIMER}${kind}.${name.startsWith("later ") ? "later" : name}`;
}
