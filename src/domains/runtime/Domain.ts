import type { Router } from "express";
import type { Redis } from "ioredis";
import type { EntitySchema, MigrationInterface } from "typeorm";
import type { Actor, ActorContext } from "../../actors/runtime/Actor.ts";
import type { ActorKind } from "../../actors/runtime/ActorKinds.ts";
import type { Actors } from "../../actors/runtime/Actors.ts";
import type { Clock } from "../../clock.ts";
import type { Config, Settings, Variables } from "../../config.ts";
import type { Database } from "../../entities/sql.ts";
import type { DomainErrorCode } from "../../errors.ts";
import type { PlayerDirectory } from "../../http/auth/anonymous.ts";
import type { Identity } from "../../http/auth/identity.ts";
import type { Command, Query } from "../../operations/Operation.ts";
import type { Operations } from "../../operations/Operations.ts";
import type { LobbyList } from "../../rooms/lobby/LobbyBoard.ts";
import type { OnAuth } from "../../rooms/runtime/admission.ts";
import type { RoomServices } from "../../rooms/runtime/services.ts";
import type { Purge } from "../../schedulers/retention/purges.ts";
import type { Job } from "../../schedulers/runtime/defineJob.ts";
import type { Task } from "../../schedulers/runtime/defineTask.ts";
import type { Jobs } from "../../schedulers/runtime/Jobs.ts";
import type { Feed } from "../../stores/feeds/Feed.ts";
import type { Attendance } from "../../stores/sessions/Attendance.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Meters } from "../../telemetry/Meters.ts";
import type { Declared } from "./declared.ts";

/** What a domain's stores are opened with, before anything else of it. */
export interface StoresNode<V extends Variables = Variables> {
  config: Config;
  /** What the domain's own variables were read as. */
  settings: Settings<V>;
  log: Logger;
  /** A connection of its own to Redis, named after its purpose and closed with the node; `undefined` for a process alone. */
  redis: ((purpose: string) => Promise<Redis>) | undefined;
}

/** What a domain's actors and jobs are made with: what there is before the actor runtime starts. */
export interface EarlyNode<Stores, Measures, V extends Variables = Variables> {
  config: Config;
  /** What the domain's own variables were read as. */
  settings: Settings<V>;
  log: Logger;
  database: Database;
  feed: Feed;
  stores: Stores;
  metrics: Measures;
  /** What the listed domains declare, all together. */
  all: Declared;
}

/** What a domain's services are opened with. */
export interface DomainNode<Stores, Measures, V extends Variables = Variables> extends EarlyNode<Stores, Measures, V> {
  actors: Actors;
  /** The cluster's time where this node's clock is off. */
  clock: Clock;
  jobs: Jobs;
  /** The operators' commands and queries of all domains; complete once every domain is open. */
  operations: Operations;
  /** What is to be done when the node stops: before that of the domains that this one needs. */
  onStop(stop: () => Promise<void> | void): void;
  /** What is to be done each time that Redis was out of reach and is back, for news may be lost; never in a process alone. */
  onBack(listener: () => void): void;
}

/** What is mounted on HTTP with the services of a domain. */
export interface RoutesNode {
  config: Config;
  clock: Clock;
}

/** What every room is given beside its domain's services. */
export interface NodeRoomServices extends RoomServices {
  /** The id of this node: part of the key that makes an event's open room on it the only one. */
  nodeId: string;
  feed: Feed;
  actors: Actors;
}

/** The class of a room that can do with the services `S`. */
export interface RoomClass<S> {
  new (): { readonly "~needs"?: (services: S) => void };
  onAuth?: Partial<OnAuth>;
}

/** A room that clients join, under the name that it is listed by. */
export interface DomainRoom<S> {
  room: RoomClass<S & NodeRoomServices>;
  /** Where each is of one event, an `EventRoom`: the actor that owns that, on whose node its first room is placed. */
  event?: { kind: string };
  /** A request of a room was answered without an error, `seconds` after it arrived. */
  answered?(services: S, type: string, seconds: number): void;
}

/** Something to play that a node in development begins with, and `DEMO` turns on and off. */
export interface DomainDemo {
  /** Whether nothing of the domain is there yet. */
  isNew(): Promise<boolean>;
  /** Both may be repeated. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What notes who is active, for all rooms and endpoints. */
export interface Activity {
  /** An authenticated request over HTTP. */
  noteCaller(caller: Identity): void;
  /** For one room: where it notes who is active. */
  attend(): Attendance;
}

export type MigrationType = new () => MigrationInterface;
/** What every node has, whatever its domains are. */
export const NODE_RUNTIMES = ["actors", "jobs"] as const;
export type NodeRuntime = (typeof NODE_RUNTIMES)[number];
/** By the name that `open` knows them by. */
export type Needs = Readonly<Record<string, Domain>>;
/** The services of the domains that are needed, by the same names. */
export type Opened<N extends Needs> = { readonly [K in keyof N]: N[K] extends Domain<infer S> ? S : never };

/** An actor class that is made from its context alone, or a kind that knows how its actors are made. */
export type ActorDeclaration = ActorKind | (new (context: ActorContext) => Actor<unknown>);

/**
 * All that belongs to a domain. What is left out, it does not have. The functions are called in the order in which they stand here, those of the
 * domains that it needs before its own.
 */
export interface DomainDefinition<N extends Needs, Stores, Measures, S, V extends Variables> {
  /** The word for it in every folder: `[a-z]+`. */
  name: string;
  /** Domains whose services its own are made of; they open before it and close after it. */
  needs?: N;
  entities?: readonly EntitySchema[];
  /** In any order: those of all domains run by the dates of their names. */
  migrations?: readonly MigrationType[];
  /** Names of domains whose tables the migrations of this one use or change: they have to be listed too. */
  alters?: readonly string[];
  /** It has the tables that the node's own runtime of this name works on. */
  runtime?: NodeRuntime;
  /** Codes that its errors have beside the common ones, as `defineErrors` makes them. */
  errors?: Readonly<Record<string, DomainErrorCode>>;
  /** Environment variables of its own, each with the schema of its text, and a default or `optional`: they are read with those of the node. */
  variables?: V;
  /** What its awards are for, as the ledger of prizes notes it: at most 16 characters. */
  itemSources?: readonly string[];
  /** Rows that are of no use any more; what goes by age stands before what is orphaned by that. */
  retention?: readonly Purge[];
  /** What of it is on and coming. */
  lobby?: LobbyList;
  /** Hot state: in Redis where there is one, else in memory. Those that have a `close` are closed with the node. */
  stores?(node: StoresNode<NoInfer<V>>): Promise<Stores>;
  metrics?(meters: Meters): Measures;
  actors?(node: EarlyNode<NoInfer<Stores>, NoInfer<Measures>, NoInfer<V>>): readonly ActorDeclaration[];
  jobs?(node: EarlyNode<NoInfer<Stores>, NoInfer<Measures>, NoInfer<V>>): ReadonlyArray<Job | Task>;
  /** Its services, one of each a node: what its rooms, endpoints, commands and the domains that need it turn to. */
  open?(node: DomainNode<NoInfer<Stores>, NoInfer<Measures>, NoInfer<V>>, needs: Opened<N>): S | Promise<S>;
  /** By the name that clients join. */
  rooms?: Readonly<Record<string, DomainRoom<NoInfer<S>>>>;
  /** Endpoints by where they are mounted below `/api`; a path may be mounted more than once. */
  routes?(services: NoInfer<S>, node: RoutesNode): Readonly<Record<string, Router>>;
  /** What operators may change. */
  commands?: readonly Command<NoInfer<S>>[];
  /** What viewers may read. */
  queries?: readonly Query<NoInfer<S>>[];
  activity?(services: NoInfer<S>): Activity;
  /** Where those who sign in are kept; exactly one of the listed domains has it. */
  signIn?(services: NoInfer<S>): PlayerDirectory;
  demo?(services: NoInfer<S>): DomainDemo;
}

/** A domain, as `defineDomain` makes it; `S` is what it offers to those that need it. */
export interface Domain<out S = unknown> {
  readonly name: string;
  readonly needs: Needs;
  /** Its types were checked where it was written, and are nobody else's business. */
  readonly definition: DomainDefinition<Needs, unknown, unknown, unknown, Variables>;
  /** Only a type. */
  readonly "~services"?: S;
}

/** Checks a definition's types, and hides those that are its own. Throws an Error for a name that is none. */
export function defineDomain<
  S = never,
  Stores = never,
  Measures = never,
  N extends Needs = Record<never, never>,
  V extends Variables = Record<never, never>,
>(definition: DomainDefinition<N, Stores, Measures, S, V>): Domain<S> {
  const { name } = definition;
  if (!/^[a-z]+$/.test(name)) throw new Error(`the domain ${name}: a name is [a-z]+`);
  return {
    name,
    needs: definition.needs ?? {},
    definition: definition as unknown as Domain["definition"],
  };
}
