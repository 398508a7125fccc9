import type { Router } from "express";
import { RINGMASTER } from "../../src/app.config.ts";
import { seededRng, systemClock } from "../../src/clock.ts";
import type { RoutesNode } from "../../src/domains/runtime/Domain.ts";
import { declaredBy } from "../../src/domains/runtime/declared.ts";
import { bind } from "../../src/operations/Operation.ts";
import { Operations } from "../../src/operations/Operations.ts";
import { createLogger } from "../../src/telemetry/log.ts";

/** What operators may do and read in our domains. */
export const OPERATIONS = declaredBy(RINGMASTER.domains).operations;

/** What mounting looks at and nothing calls: every service, and whatever it has. */
export const unused: object = new Proxy(() => unused, { get: () => unused });

/** What our domains mount below `/api`, with these services by domain, else with none that can be called. */
export function apiOf(services: Readonly<Record<string, object>> = {}): Array<[path: string, router: Router]> {
  const admin = { operations: operationsOf(services), auditSql: { query: async () => [] } };
  return RINGMASTER.domains.flatMap(({ name, definition: { routes } }) =>
    Object.entries(routes?.({ admin, ...services }[name] ?? unused, unused as RoutesNode) ?? {}),
  );
}

/** The operations of our domains, whose audit is written nowhere. */
function operationsOf(services: Readonly<Record<string, object>>): Operations {
  const operations = new Operations({
    ...{ clock: systemClock, rng: seededRng(8), log: createLogger("silent"), nodeId: "n" },
    feed: { append: async () => {} },
    database: {
      dialect: "sqlite",
      query: async () => [],
      write: async () => ({ affected: 1, warnings: 0 }),
    },
  });
  for (const { name, definition } of RINGMASTER.domains)
    operations.add(bind([...(definition.commands ?? []), ...(definition.queries ?? [])], services[name] ?? unused));
  return operations;
}
