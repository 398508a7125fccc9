import { z } from "zod";
import { about, idToCreate, type OperatorCall } from "../actors/admin/operatorCall.ts";
import { systemRng } from "../clock.ts";
import { idOf } from "../ids.ts";
import { created, none } from "./fields.ts";
import { type Command, type Endpoint, operationsWith, type Query } from "./Operation.ts";

/** How such an event is created. */
interface Creating<S, A extends z.ZodType> {
  description: string;
  args: A;
  bodyLimit?: number;
  /** Creates the event `id`, which a repeat of the call has as well. */
  run(definition: z.output<A>, id: string, services: S, call: OperatorCall): Promise<unknown>;
}

/** What is done to one of them. */
interface Acting<S, A extends z.ZodRawShape, R extends z.ZodType> {
  description: string;
  /** Arguments beside the one that names the event. */
  args?: A;
  /** The summary unless told. */
  answer?: R;
  bodyLimit?: number;
  changesNothing?: boolean;
  run(id: string, services: S, call: OperatorCall, args: z.output<z.ZodObject<A>>): Promise<z.input<R>>;
}

/** What is read of one of them. */
interface Reading<S, A extends z.ZodRawShape, R extends z.ZodType> {
  description: string;
  args?: A;
  /** The summary unless told. */
  answer?: R;
  endpoint?: Endpoint;
  run(id: string, services: S, args: z.output<z.ZodObject<A>>): Promise<z.input<R>>;
}

/** How they are listed. */
interface Listing<S, R extends z.ZodType> {
  description: string;
  endpoint?: Endpoint;
  run(services: S): Promise<z.input<R>[]>;
}

/** How a domain defines what operators do to its events, and read of them; its handlers need `S`. */
export interface EventDefinitions<S, Summary extends z.ZodType> {
  /** `createRaffle`, and `POST /api/raffles`. */
  create<A extends z.ZodType>(definition: Creating<S, A>): Command<S>;
  /** `cancelRaffle {raffleId, …}`, and `POST /api/raffles/:raffleId/cancel`. */
  act<A extends z.ZodRawShape = Record<never, never>, R extends z.ZodType = Summary>(
    action: string,
    definition: Acting<S, A, R>,
  ): Command<S>;
  /** The query `raffles`. */
  list(definition: Listing<S, Summary>): Query<S>;
  /** The query `raffle {raffleId, …}`, or of another part of one: `raffleReview`. */
  read<A extends z.ZodRawShape = Record<never, never>, R extends z.ZodType = Summary>(
    part: string,
    definition: Reading<S, A, R>,
  ): Query<S>;
}

/** Those of the events that are called `noun`: `raffle`. `summary` is how one of them is told of. */
export function eventOperations<S, Summary extends z.ZodType>(
  noun: string,
  summary: Summary,
): EventDefinitions<S, Summary> {
  const { command, query } = operationsWith<S>();
  const idName = `${noun}Id`;
  const path = `/${noun}s`;
  const naming = (others: z.ZodRawShape = {}) => z.strictObject({ ...others, [idName]: idOf(noun) });
  const parts = ({ [idName]: id, ...rest }: Record<string, unknown>) => ({ id: String(id), rest: rest as never });

  return {
    create: ({ args, description, bodyLimit, run }) =>
      command(`create${capital(noun)}`, {
        ...{ description, args, answer: created },
        endpoint: {
          ...({ method: "POST", path, status: 201, ...(bodyLimit && { bodyLimit }) } as const),
          location: ({ id }) => `/api${path}/${id}`,
        },
        run: async (definition, services, call) => {
          const id = idToCreate(call, systemRng);
          await run(definition, id, services, about(call, `${noun}:${id}`));
          return { id };
        },
      }),
    act: (action, { args, description, answer, bodyLimit, changesNothing = false, run }) =>
      command(`${action}${capital(noun)}`, {
        ...{ description, args: naming(args), answer: answer ?? summary, changesNothing },
        endpoint: { method: "POST", path: `${path}/:${idName}/${action}`, ...(bodyLimit && { bodyLimit }) },
        run: (given, services, call) => {
          const { id, rest } = parts(given);
          return run(id, services, call, rest);
        },
      }),
    list: ({ description, endpoint, run }) =>
      query(`${noun}s`, {
        ...{ description, args: none, answer: z.array(summary), ...(endpoint && { endpoint }) },
        run: (_none, services) => run(services),
      }),
    read: (part, { args, description, answer, endpoint, run }) =>
      query(`${noun}${part}`, {
        ...{ description, args: naming(args), answer: answer ?? summary, ...(endpoint && { endpoint }) },
        run: (given, services) => {
          const { id, rest } = parts(given);
          return run(id, services, rest);
        },
      }),
  };
}

function capital(noun: string): string {
  return `${noun[0]!.toUpperCase()}${noun.slice(1)}`;
}
