import type { Router } from "express";
import type { Actor, ActorContext, ActorType } from "../../actors/runtime/Actor.ts";
import type { ActorKind } from "../../actors/runtime/ActorKinds.ts";
import type { Actors } from "../../actors/runtime/Actors.ts";
import type { Backplane } from "../../backplane.ts";
import { systemClock, systemRng } from "../../clock.ts";
import type { Settings, Variables } from "../../config.ts";
import type { PlayerDirectory } from "../../http/auth/anonymous.ts";
import type { Lifecycle } from "../../lifecycle.ts";
import { bind } from "../../operations/Operation.ts";
import { Operations } from "../../operations/Operations.ts";
import type { Job } from "../../schedulers/runtime/defineJob.ts";
import type { Task } from "../../schedulers/runtime/defineTask.ts";
import type { Jobs } from "../../schedulers/runtime/Jobs.ts";
import type { Meters } from "../../telemetry/Meters.ts";
import type { Activity, ActorDeclaration, Domain, DomainDemo, EarlyNode } from "./Domain.ts";
import type { Declared } from "./declared.ts";

/** What domains are opened with. */
export interface DomainParts extends Pick<EarlyNode<unknown, unknown>, "config" | "log" | "database"> {
  backplane: Backplane;
  lifecycle: Pick<Lifecycle, "onStop">;
  meters: Meters;
}

/**
 * The domains of a node, opened step by step: `prepare` (stores and metrics), then actor kinds and jobs, and once the actor runtime runs `open`
 * (services), after which there are rooms and routes. Each step goes through the domains in the order of their needs; they stop in reverse.
 */
export class OpenDomains {
  readonly declared: Declared;
  readonly #parts: DomainParts;
  readonly #early = new Map<Domain, EarlyNode<unknown, unknown>>();
  readonly #services = new Map<Domain, unknown>();

  constructor(declared: Declared, parts: DomainParts) {
    this.declared = declared;
    this.#parts = parts;
  }

  /** Opens the stores, and makes the metrics. */
  async prepare(): Promise<void> {
    const { backplane, config, database, lifecycle, log, meters } = this.#parts;
    for (const domain of this.declared.domains) {
      const { definition, name } = domain;
      const settings = (config.settings.get(name) ?? {}) as Settings<Variables>;
      const stores = await definition.stores?.({ config, settings, log, redis: backplane.connect });
      lifecycle.onStop(`${name}: stores`, () => closeAll(stores));
      const metrics = definition.metrics?.(meters);
      const { feed } = backplane;
      this.#early.set(domain, { config, settings, log, database, feed, stores, metrics, all: this.declared });
    }
  }

  /** Throws an Error where two actors are of a kind. */
  kinds(): ActorKind[] {
    const kinds = [...this.#early].flatMap(([{ definition }, node]) => definition.actors?.(node) ?? []).map(kindOf);
    const names = kinds.map(({ type }) => type.kind);
    const doubled = names.find((name, at) => names.indexOf(name) !== at);
    if (doubled !== undefined) throw new Error(`the kind of actors ${doubled} is named twice`);
    return kinds;
  }

  jobs(): Array<Job | Task> {
    return [...this.#early].flatMap(([{ definition }, node]) => definition.jobs?.(node) ?? []);
  }

  /** Opens the services. */
  async open(actors: Actors, jobs: Jobs): Promise<void> {
    const { backplane, database, lifecycle, log } = this.#parts;
    const operations = new Operations({
      ...{ clock: actors.clock, rng: systemRng, log, feed: backplane.feed, nodeId: actors.membership.self.id },
      database: database.of("commits"),
    });
    for (const [domain, early] of this.#early) {
      const { definition, name } = domain;
      const node = {
        ...early,
        ...{ actors, jobs, clock: actors.clock, operations },
        onStop: (stop: () => Promise<void> | void) => lifecycle.onStop(name, stop),
        onBack: (listener: () => void) =>
          backplane.watch((isReachable) => {
            if (isReachable) listener();
          }),
      };
      const needs = Object.fromEntries(Object.entries(domain.needs).map(([as, needed]) => [as, this.of(needed)]));
      const services = await definition.open?.(node, needs);
      this.#services.set(domain, services);
      operations.add(bind([...(definition.commands ?? []), ...(definition.queries ?? [])], services));
    }
  }

  /** The services of a domain that is open. */
  of<S>(domain: Domain<S>): S {
    if (!this.#services.has(domain)) throw new Error(`the domain ${domain.name} is not open`);
    return this.#services.get(domain) as S;
  }

  /** By where they are mounted below `/api`. */
  routes(): Array<[path: string, router: Router]> {
    const { config } = this.#parts;
    return this.#each(({ routes }, services) =>
      Object.entries(routes?.(services, { config, clock: systemClock }) ?? {}),
    ).flat();
  }

  demos(): DomainDemo[] {
    return this.#each(({ demo }, services) => demo?.(services)).filter((demo) => demo !== undefined);
  }

  /** Of the one domain that keeps players (`requireWhole`). */
  players(): PlayerDirectory {
    return this.#each(({ signIn }, services) => signIn?.(services)).find((players) => players !== undefined)!;
  }

  /** Of the one domain that notes who is active, if there is one (`requireWhole`). */
  activity(): Activity | undefined {
    return this.#each(({ activity }, services) => activity?.(services)).find((activity) => activity !== undefined);
  }

  #each<T>(what: (definition: Domain["definition"], services: unknown) => T): T[] {
    return [...this.#services].map(([{ definition }, services]) => what(definition, services));
  }
}

async function closeAll(stores: unknown): Promise<void> {
  for (const store of Object.values(stores ?? {})) await (store as { close?(): Promise<void> }).close?.();
}

/** A class whose actors are made from their context alone is a kind of its own. */
function kindOf(declared: ActorDeclaration): ActorKind {
  if (typeof declared !== "function") return declared;
  const type = declared as unknown as ActorType<Actor<unknown>>;
  return { type, create: (context: ActorContext) => new type(context) };
}
