import { z } from "zod";
import type { EventInterventions } from "../actors/events/EventInterventions.ts";
import type { PhasedStatus } from "../actors/events/PhasedActor.ts";
import { cancelRequest, pauseRequest, reasonOnly } from "../actors/events/requests.ts";
import type { EventDefinitions } from "./events.ts";
import type { Command } from "./Operation.ts";

type Verb = "start" | "end" | "extend" | "postpone" | "pause" | "resume" | "hold" | "release" | "cancel";

/** What differs between kinds of events. */
interface EventTerms<S, Summary extends z.ZodType> {
  /** By how much one can be moved at once, in milliseconds. */
  shortestMs: number;
  longestMs: number;
  descriptions: Record<Verb, string>;
  operationsOf(services: S): Pick<EventInterventions<PhasedStatus, z.input<Summary>>, Verb>;
}

/** The commands that hunts and tournaments have alike. */
export function eventCommands<S, Summary extends z.ZodType>(
  events: EventDefinitions<S, Summary>,
  { shortestMs, longestMs, descriptions, operationsOf: of }: EventTerms<S, Summary>,
): Command<S>[] {
  const moved = { ms: z.int().min(shortestMs).max(longestMs) };
  const reasoned = reasonOnly.shape;
  const about = (verb: Verb) => ({ description: descriptions[verb] });
  return [
    events.act("start", { ...about("start"), run: (id, services, call) => of(services).start(id, call) }),
    events.act("end", { ...about("end"), run: (id, services, call) => of(services).end(id, call) }),
    events.act("extend", {
      ...about("extend"),
      args: moved,
      run: (id, services, call, { ms }) => of(services).extend(id, ms, call),
    }),
    events.act("postpone", {
      ...about("postpone"),
      args: moved,
      run: (id, services, call, { ms }) => of(services).postpone(id, ms, call),
    }),
    events.act("pause", {
      ...about("pause"),
      args: pauseRequest.shape,
      run: (id, services, call, pause) => of(services).pause(id, pause, call),
    }),
    events.act("resume", {
      ...about("resume"),
      args: reasoned,
      run: (id, services, call, { reason }) => of(services).resume(id, reason, call),
    }),
    events.act("hold", {
      ...about("hold"),
      args: reasoned,
      run: (id, services, call, { reason }) => of(services).hold(id, reason, call),
    }),
    events.act("release", {
      ...about("release"),
      args: reasoned,
      run: (id, services, call, { reason }) => of(services).release(id, reason, call),
    }),
    events.act("cancel", {
      ...about("cancel"),
      args: cancelRequest.shape,
      run: (id, services, call, { reason }) => of(services).cancel(id, reason, call),
    }),
  ];
}
