import type { EntitySchema } from "typeorm";
import { type Config, whyNoVariable } from "../../config.ts";
import { isErrorCode } from "../../errors.ts";
import type { OperationTerms } from "../../operations/Operation.ts";
import type { LobbyList } from "../../rooms/lobby/LobbyBoard.ts";
import type { Purge } from "../../schedulers/retention/purges.ts";
import { type Domain, type DomainRoom, type MigrationType, NODE_RUNTIMES } from "./Domain.ts";

/** What all listed domains declare, before anything of them runs. */
export interface Declared {
  /** The domains, each behind those that it needs. */
  domains: readonly Domain[];
  entities: readonly EntitySchema[];
  /** By the dates of their names. */
  migrations: readonly MigrationType[];
  retention: readonly Purge[];
  /** What operators may do and read. */
  operations: readonly OperationTerms[];
  /** By domain. */
  lobby: ReadonlyMap<string, LobbyList>;
  rooms: ReadonlyMap<string, { domain: Domain; declared: DomainRoom<unknown> }>;
}

/** As the ledger of prizes has a column for. */
const LONGEST_SOURCE = 16;

/**
 * Puts together what the listed domains declare. Throws an Error that says which domain is missing, or named twice, or needs itself in a
 * circle, and what two domains both claim to have.
 */
export function declaredBy(listed: readonly Domain[]): Declared {
  const domains = inOrder(listed);
  const names = new Set(domains.map(({ name }) => name));
  for (const { name, definition } of domains)
    for (const altered of definition.alters ?? [])
      if (!names.has(altered))
        throw new Error(`the migrations of the domain ${name} use tables of ${altered}, which is not listed`);
  const each = <T>(what: (definition: Domain["definition"]) => readonly T[] | undefined): T[] =>
    domains.flatMap(({ definition }) => what(definition) ?? []);
  const namesOf = (record: Readonly<Record<string, unknown>> | undefined): string[] => Object.keys(record ?? {});
  once("migration", domains, ({ migrations = [] }) => migrations.map(({ name }) => name));
  once("date of a migration", domains, ({ migrations = [] }) => migrations.map((each) => String(dateOf(each))));
  once("kind of rows that retention removes", domains, ({ retention = [] }) => retention.map(({ name }) => name));
  once("source of items", domains, ({ itemSources = [] }) => itemSources);
  for (const source of each(({ itemSources }) => itemSources))
    if (source.length > LONGEST_SOURCE)
      throw new Error(`the source of items ${source} is longer than ${LONGEST_SOURCE} characters`);
  once("room", domains, ({ rooms }) => namesOf(rooms));
  once("command", domains, ({ commands = [] }) => commands.map(({ name }) => name));
  once("query", domains, ({ queries = [] }) => queries.map(({ name }) => name));
  once("error code", domains, ({ errors }) => namesOf(errors));
  once("variable", domains, ({ variables }) => namesOf(variables));
  for (const { name, definition } of domains) requireKnown(name, definition);
  once("event of the lobby", domains, ({ lobby }) => lobby?.news ?? []);
  return {
    domains,
    entities: each(({ entities }) => entities),
    migrations: byDate(each(({ migrations }) => migrations)),
    retention: each(({ retention }) => retention),
    operations: each<OperationTerms>(({ commands = [], queries = [] }) => [...commands, ...queries]),
    lobby: new Map(domains.flatMap(({ name, definition: { lobby } }) => (lobby ? [[name, lobby] as const] : []))),
    rooms: new Map(
      domains.flatMap((domain) =>
        Object.entries(domain.definition.rooms ?? {}).map(([name, declared]) => [name, { domain, declared }] as const),
      ),
    ),
  };
}

/** Throws where a domain lists a code that nobody has defined, or a variable that it cannot have. */
function requireKnown(domain: string, { errors = {}, variables = {} }: Domain["definition"]): void {
  for (const code of Object.values(errors))
    if (!isErrorCode(code))
      throw new Error(`the error code ${code} of the domain ${domain} is not defined (defineErrors)`);
  for (const variable of Object.keys(variables)) {
    const why = whyNoVariable(variable);
    if (why !== undefined) throw new Error(`the variable ${variable} of the domain ${domain}: ${why}`);
  }
}

/** Throws an Error where the configuration was read without a listed domain that has variables. */
export function requireRead({ settings }: Config, { domains }: Declared): void {
  for (const { name, definition } of domains)
    if (definition.variables !== undefined && !settings.has(name))
      throw new Error(
        `the configuration was read without the variables of the domain ${name}: readConfig(env, domains)`,
      );
}

/** Throws an Error that says what no listed domain has, or several have, of what a node cannot do without. */
export function requireWhole({ domains }: Declared): void {
  for (const runtime of NODE_RUNTIMES)
    if (!domains.some(({ definition }) => definition.runtime === runtime))
      throw new Error(`no listed domain has the tables of ${runtime} (runtime)`);
  const having = (part: "signIn" | "activity"): number =>
    domains.filter(({ definition }) => definition[part] !== undefined).length;
  if (having("signIn") === 0) throw new Error("no listed domain keeps those who sign in (signIn)");
  if (having("signIn") > 1) throw new Error("more than one listed domain keeps those who sign in (signIn)");
  if (having("activity") > 1) throw new Error("more than one listed domain notes who is active (activity)");
}

function byDate(migrations: readonly MigrationType[]): MigrationType[] {
  const dated = migrations.map((migration) => ({ migration, date: dateOf(migration) }));
  return dated.toSorted((a, b) => a.date - b.date).map(({ migration }) => migration);
}

/** As TypeORM tells when a migration was made: by the 14 digits at the end of its name. */
function dateOf({ name }: MigrationType): number {
  const [date] = /\d{14}$/.exec(name) ?? [];
  if (date === undefined) throw new Error(`the migration ${name}: its name ends with no date of 14 digits`);
  return Number(date);
}

/** The domains, each behind those that it needs, else as they are listed. */
function inOrder(listed: readonly Domain[]): Domain[] {
  const names = new Set<string>();
  for (const { name } of listed) {
    if (names.has(name)) throw new Error(`the domain ${name} is listed twice`);
    names.add(name);
  }
  const ordered = new Set<Domain>();
  const visit = (domain: Domain, path: readonly Domain[]): void => {
    if (ordered.has(domain)) return;
    const names = [...path, domain].map(({ name }) => name);
    if (path.includes(domain)) throw new Error(`domains need each other in a circle: ${names.join(" → ")}`);
    for (const [as, needed] of Object.entries(domain.needs)) {
      if (needed === undefined) throw new Error(`the domain ${domain.name} needs ${as}, which imports it in turn`);
      if (!listed.includes(needed))
        throw new Error(`the domain ${domain.name} needs ${needed.name}, which is not listed`);
      visit(needed, [...path, domain]);
    }
    ordered.add(domain);
  };
  for (const domain of listed) visit(domain, []);
  return [...ordered];
}

/** Throws where a domain, or two, name the same thing twice. */
export function once(
  what: string,
  domains: readonly Domain[],
  namesOf: (definition: Domain["definition"]) => readonly string[],
): void {
  const ownerOf = new Map<string, string>();
  for (const { name: domain, definition } of domains) {
    for (const name of namesOf(definition)) {
      const other = ownerOf.get(name);
      if (other !== undefined) throw new Error(`the ${what} ${name} is named twice: by ${other} and by ${domain}`);
      ownerOf.set(name, domain);
    }
  }
}
