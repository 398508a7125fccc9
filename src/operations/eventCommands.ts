import { z } from "zod";
import type { OperatorCall } from "../actors/admin/operatorCall.ts";
import { cancelRequest, type PauseRequest, pauseRequest, reasonOnly } from "../actors/events/requests.ts";
import type { Command, operationsWith } from "./Operation.ts";

/** What a domain does for operators with an event that is there, by its id. */
export interface EventOperations<Summary> {
  start(id: string, call: OperatorCall): Promise<Summary>;
  end(id: string, call: OperatorCall): Promise<Summary>;
  extend(id: string, ms: number, call: OperatorCall): Promise<Summary>;
  postpone(id: string, ms: number, call: OperatorCall): Promise<Summary>;
  pause(id: string, pause: PauseRequest, call: OperatorCall): Promise<Summary>;
  resume(id: string, reason: string, call: OperatorCall): Promise<Summary>;
  hold(id: string, reason: string, call: OperatorCall): Promise<Summary>;
  release(id: string, reason: string, call: OperatorCall): Promise<Summary>;
  cancel(id: string, reason: string | undefined, call: OperatorCall): Promise<Summary>;
}

/** Commands that every kind of events has, each `POST /api/hunts/:huntId/<verb>`. */
const VERBS = ["start", "end", "extend", "postpone", "pause", "resume", "hold", "release", "cancel"] as const;

/** How a kind of events names them. */
interface EventTerms<S, Summary extends z.ZodType> {
  command: ReturnType<typeof operationsWith<S>>["command"];
  /** `hunt`: `startHunt`, `/hunts/:huntId/start`. */
  noun: string;
  id: z.ZodString;
  /** By how much it can be moved at once, in milliseconds. */
  shortestMs: number;
  longestMs: number;
  summary: Summary;
  descriptions: Record<(typeof VERBS)[number], string>;
  operationsOf(services: S): EventOperations<z.input<Summary>>;
}

/** The commands that hunts and tournaments have alike. */
export function eventCommands<S, Summary extends z.ZodType>(terms: EventTerms<S, Summary>): Command<S>[] {
  const { command, noun, id, shortestMs, longestMs, summary, descriptions, operationsOf } = terms;
  const idName = `${noun}Id`;
  // By a name that is not known here: what these take beside it is typed without.
  const withId = <Shape extends z.core.$ZodLooseShape>(args: z.ZodObject<Shape>): z.ZodObject<Shape> =>
    args.extend({ [idName]: id }) as unknown as z.ZodObject<Shape>;
  const named = withId(z.strictObject({}));
  const moved = withId(z.strictObject({ ms: z.int().min(shortestMs).max(longestMs) }));
  const idIn = (args: object): string => (args as Record<string, string>)[idName]!;
  const one = <A extends z.ZodType>(
    verb: (typeof VERBS)[number],
    args: A,
    run: (
      operations: EventOperations<z.input<Summary>>,
      args: z.output<A>,
      call: OperatorCall,
    ) => Promise<z.input<Summary>>,
  ): Command<S> =>
    command(`${verb}${noun[0]!.toUpperCase()}${noun.slice(1)}`, {
      description: descriptions[verb],
      args,
      answer: summary,
      endpoint: { method: "POST", path: `/${noun}s/:${idName}/${verb}` },
      run: (given, services, call) => run(operationsOf(services), given, call),
    });
  return [
    one("start", named, (events, args, call) => events.start(idIn(args), call)),
    one("end", named, (events, args, call) => events.end(idIn(args), call)),
    one("extend", moved, (events, args, call) => events.extend(idIn(args), args.ms, call)),
    one("postpone", moved, (events, args, call) => events.postpone(idIn(args), args.ms, call)),
    one("pause", withId(pauseRequest), (events, { ms, reason, ...args }, call) =>
      events.pause(idIn(args), { ms, reason }, call),
    ),
    one("resume", withId(reasonOnly), (events, { reason, ...args }, call) => events.resume(idIn(args), reason, call)),
    one("hold", withId(reasonOnly), (events, { reason, ...args }, call) => events.hold(idIn(args), reason, call)),
    one("release", withId(reasonOnly), (events, { reason, ...args }, call) => events.release(idIn(args), reason, call)),
    one("cancel", withId(cancelRequest), (events, { reason, ...args }, call) =>
      events.cancel(idIn(args), reason, call),
    ),
  ];
}
