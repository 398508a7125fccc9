import type { Router } from "express";
import { RINGMASTER } from "../../src/app.config.ts";
import type { RoutesNode } from "../../src/domains/runtime/Domain.ts";

/** What mounting looks at and nothing calls: every service, and whatever it has. */
export const unused: object = new Proxy(() => unused, { get: () => unused });

/** What our domains mount below `/api`, with these services by domain, else with none that can be called. */
export function apiOf(services: Readonly<Record<string, object>> = {}): Array<[path: string, router: Router]> {
  return RINGMASTER.domains.flatMap(({ name, definition: { routes } }) =>
    Object.entries(routes?.(services[name] ?? unused, unused as RoutesNode) ?? {}),
  );
}
