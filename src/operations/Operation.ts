import type { z } from "zod";
import type { OperatorCall } from "../actors/admin/operatorCall.ts";
import type { Role } from "../http/auth/identity.ts";

/** Where an operation can be had over HTTP, beside the room `admin`. */
export interface Endpoint<Args = never, Answer = never> {
  method: "GET" | "POST";
  /** Below `/api`. `:name` is the argument of that name; the body (of a GET, the query) has the others. */
  path: string;
  /** The least role that may over HTTP; the operation's unless told. */
  role?: Role;
  /** 200 unless told. */
  status?: 201 | 202;
  /** Of the body, in bytes; `BODY_LIMIT` unless told. */
  bodyLimit?: number;
  /** The body of the answer, where it is not the answer itself. */
  body?(answer: Answer, args: Args): object;
  /** The header `Location` of the answer. */
  location?(answer: Answer): string;
}

/**
 * What operators can do (a command) or read (a query), said once: the room `admin`, HTTP, `describe`, the audit, the authorisation
 * matrix and the documentation tests are made from it.
 */
export interface OperationTerms {
  readonly kind: "command" | "query";
  /** Unique among operations of its kind. */
  readonly name: string;
  /** The least role that may. */
  readonly role: Role;
  /** One or two sentences for operators. */
  readonly description: string;
  /** An object that refuses unknown fields. A field with the meta `writeOnly` is secret: the audit leaves it out. */
  readonly args: z.ZodType;
  /** `z.void()` where there is none. */
  readonly answer: z.ZodType;
  readonly endpoint: Endpoint | undefined;
  /** A command that only reads: its line in the audit is written after it, there being no transaction of an effect. */
  readonly changesNothing: boolean;
}

/** `S` is what the handler needs of the node. */
export interface Operation<S> extends OperationTerms {
  /**
   * Carries it out with arguments that have been validated. A command hands `call` on to where its effect is stored, whose transaction
   * writes the line of the audit.
   */
  run(args: unknown, services: S, call: OperatorCall): Promise<unknown>;
}

/** An operation that has what it needs. */
export interface BoundOperation extends OperationTerms {
  run(args: unknown, call: OperatorCall): Promise<unknown>;
}

/** Gives operations what they need. */
export function bind<S>(operations: readonly Operation<S>[], services: S): BoundOperation[] {
  return operations.map((each) => ({ ...each, run: (args, call) => each.run(args, services, call) }));
}

export type Command<S> = Operation<S> & { readonly kind: "command" };
export type Query<S> = Operation<S> & { readonly kind: "query" };

interface Definition<S, A extends z.ZodType, R extends z.ZodType> {
  description: string;
  args: A;
  answer: R;
  /** `operator` for a command and `viewer` for a query unless told. */
  role?: Role;
  endpoint?: Endpoint<z.output<A>, z.output<R>>;
  changesNothing?: boolean;
  run(args: z.output<A>, services: S, call: OperatorCall): Promise<z.input<R>>;
}

/** How a domain defines its operations, whose handlers need `S`: the types of arguments and answers come of their schemas. */
export function operationsWith<S>() {
  return {
    command: <A extends z.ZodType, R extends z.ZodType>(name: string, definition: Definition<S, A, R>): Command<S> =>
      define("command", name, definition),
    query: <A extends z.ZodType, R extends z.ZodType>(name: string, definition: Definition<S, A, R>): Query<S> =>
      define("query", name, definition),
  };
}

function define<K extends OperationTerms["kind"], S, A extends z.ZodType, R extends z.ZodType>(
  kind: K,
  name: string,
  definition: Definition<S, A, R>,
): Operation<S> & { readonly kind: K } {
  const {
    role = kind === "command" ? "operator" : "viewer",
    changesNothing = false,
    endpoint,
    run,
    ...rest
  } = definition;
  return {
    ...{ kind, name, role, changesNothing, endpoint: endpoint as Endpoint | undefined, ...rest },
    run: (args, services, call) => run(args as z.output<A>, services, call),
  };
}
