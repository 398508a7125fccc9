import type { Domain } from "../../src/domains/runtime/Domain.ts";

/** What every app has to list: the tables of its runtime, and who keeps players. */
export const ALWAYS = ["actors", "jobs", "players"] as const;

/** The domains of these names, what every app has to list, and all that these need, in turn: of `all`, in their order. */
export function withNeeds(names: readonly string[], all: readonly Domain[]): Domain[] {
  const wanted = new Set<string>();
  const want = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    const domain = all.find((each) => each.name === name);
    if (domain === undefined) throw new Error(`there is no domain ${name}`);
    for (const needed of Object.values(domain.needs)) want(needed.name);
    for (const altered of domain.definition.alters ?? []) want(altered);
  };
  for (const name of [...ALWAYS, ...names]) want(name);
  return all.filter(({ name }) => wanted.has(name));
}
