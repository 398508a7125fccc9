import type { OperatorCall } from "../../actors/admin/operatorCall.ts";
import type { Verb } from "../../rooms/admin/verbs.ts";
import type { Domain } from "./Domain.ts";

/** A command or a query, with the services of its domain. */
export type Bound = (args: unknown, call: OperatorCall) => Promise<unknown>;

/** The operators' commands and queries of all domains, by name. */
export class Catalogue {
  readonly commands = new Map<string, Bound>();
  readonly queries = new Map<string, Bound>();

  /** Adds those of a domain that is open. */
  add({ definition: { commands = {}, queries = {} } }: Domain, services: unknown): void {
    const bind =
      (verb: Verb<unknown>): Bound =>
      (args, call) =>
        verb(args, services, call);
    for (const [name, verb] of Object.entries(commands)) this.commands.set(name, bind(verb));
    for (const [name, verb] of Object.entries(queries)) this.queries.set(name, bind(verb));
  }
}
