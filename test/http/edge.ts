import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { LocalDriver, LocalPresence, type Room, Server } from "@colyseus/core";
import express from "express";
import type { OperatorCall } from "../../src/actors/admin/operatorCall.ts";
import type { PauseRequest } from "../../src/actors/events/requests.ts";
import { normaliseAnswer } from "../../src/actors/hunts/answers.ts";
import type { HuntCorrection, HuntDefinition } from "../../src/actors/hunts/definition.ts";
import type { HuntDetails, HuntReview, HuntSummary } from "../../src/actors/hunts/HuntOperations.ts";
import { type Clock, seededRng, systemClock } from "../../src/clock.ts";
import { FlowQueue } from "../../src/edge/FlowQueue.ts";
import type { KeepOut } from "../../src/edge/KeepOut.ts";
import { RingmasterError } from "../../src/errors.ts";
import type { NewPlayer } from "../../src/http/auth/anonymous.ts";
import type { Role } from "../../src/http/auth/identity.ts";
import { OPERATOR_TOKEN_MS, Tokens } from "../../src/http/auth/tokens.ts";
import { FrontDoor } from "../../src/http/FrontDoor.ts";
import { MetricsPage } from "../../src/http/health.ts";
import type { HuntDirectory } from "../../src/http/hunts.ts";
import { RequestLimits } from "../../src/http/limits.ts";
import type { MyThings } from "../../src/http/me.ts";
import { Readiness } from "../../src/http/readiness.ts";
import { type HttpServices, mountHttp } from "../../src/http/server.ts";
import { PacedTransport } from "../../src/rooms/runtime/PacedTransport.ts";
import type { SessionService } from "../../src/stores/sessions/SessionService.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { apiOf } from "../support/api.ts";

export const SECRET = "a secret of the tests, 32 characters long";

/** Hunts in memory, with as much of a hunt's rules as the endpoints can show. */
export class HuntsInMemory implements HuntDirectory {
  readonly hunts = new Map<string, HuntSummary & { definition: HuntDefinition }>();
  readonly calls: OperatorCall[] = [];

  async list(): Promise<HuntSummary[]> {
    return [...this.hunts.values()].map(summaryOf);
  }

  async get(id: string): Promise<HuntDetails> {
    const hunt = this.#find(id);
    const { clueTtlMs, attempts, winners, clues, repeat } = hunt.definition;
    const counts = { clues: clues.length, instances: clues.length * repeat, players: 0, solved: 0, standings: [] };
    return { ...summaryOf(hunt), clueTtlMs, attempts, winners, ...counts };
  }

  async create(id: string, definition: HuntDefinition, call: OperatorCall): Promise<void> {
    this.#note(call);
    const { name, startsAt } = definition;
    this.hunts.set(id, { id, name, startsAt, phase: "scheduled", phaseEndsAt: startsAt, definition });
  }

  async correct(id: string, { definition }: HuntCorrection, call: OperatorCall): Promise<HuntSummary> {
    const hunt = this.#find(id, call);
    if (hunt.phase !== "scheduled") throw new RingmasterError("wrong_phase");
    const { name, startsAt } = definition;
    return summaryOf(Object.assign(hunt, { definition, name, startsAt, phaseEndsAt: startsAt }));
  }

  async pause(id: string, { ms }: PauseRequest, call: OperatorCall): Promise<HuntSummary> {
    return summaryOf(Object.assign(this.#find(id, call), { pausedAt: 0, resumesAt: ms }));
  }

  async resume(id: string, _reason: string, call: OperatorCall): Promise<HuntSummary> {
    const hunt = this.#find(id, call);
    if (hunt.pausedAt === undefined) throw new RingmasterError("conflict");
    delete hunt.pausedAt;
    return summaryOf(hunt);
  }

  async hold(id: string, _reason: string, call: OperatorCall): Promise<HuntSummary> {
    return summaryOf(Object.assign(this.#find(id, call), { reviewSince: 0 }));
  }

  async release(id: string, _reason: string, call: OperatorCall): Promise<HuntSummary> {
    const hunt = this.#find(id, call);
    if (hunt.reviewSince === undefined) throw new RingmasterError("conflict");
    delete hunt.reviewSince;
    return summaryOf(hunt);
  }

  async review(id: string): Promise<HuntReview> {
    this.#find(id);
    return { orderedBy: null, since: null, resultHash: null, players: 0, winners: [], totals: [] };
  }

  async start(id: string, call: OperatorCall): Promise<HuntSummary> {
    const hunt = this.#find(id, call);
    if (hunt.phase !== "scheduled") throw new RingmasterError("wrong_phase");
    hunt.phase = "solving";
    return summaryOf(hunt);
  }

  async postpone(id: string, ms: number, call: OperatorCall): Promise<HuntSummary> {
    this.#find(id, call).startsAt += ms;
    return this.extend(id, ms, call);
  }

  async extend(id: string, ms: number, call: OperatorCall): Promise<HuntSummary> {
    const hunt = this.#find(id, call);
    hunt.phaseEndsAt = hunt.phaseEndsAt === null ? null : hunt.phaseEndsAt + ms;
    return summaryOf(hunt);
  }

  async end(id: string, call: OperatorCall): Promise<HuntSummary> {
    return summaryOf(Object.assign(this.#find(id, call), { phase: "finished", phaseEndsAt: null }));
  }

  async cancel(id: string, _reason: string | undefined, call: OperatorCall): Promise<HuntSummary> {
    return summaryOf(Object.assign(this.#find(id, call), { phase: "cancelled", phaseEndsAt: null }));
  }

  /** What goes into the audit is beside what the endpoints ask for. */
  #note({ operatorId, requestId }: OperatorCall): void {
    this.calls.push({ operatorId, requestId });
  }

  #find(id: string, call?: OperatorCall): HuntSummary & { definition: HuntDefinition } {
    if (call) this.#note(call);
    const hunt = this.hunts.get(id);
    if (!hunt) throw new RingmasterError("not_found");
    return hunt;
  }
}

function summaryOf({ id, name, phase, startsAt, phaseEndsAt }: HuntSummary): HuntSummary {
  return { id, name, phase, startsAt, phaseEndsAt };
}

export function aHunt(): HuntDefinition {
  return {
    name: "Harbour lights",
    startsAt: 1_800_000_000_000,
    discoveryMs: 0,
    solvingMs: 600_000,
    revealMs: 30_000,
    clueTtlMs: 60_000,
    attempts: 3,
    winners: 10,
    repeat: 1000,
    clues: [{ type: "riddle", prompt: "It turns all night.", answers: [normaliseAnswer("Lighthouse")], points: 10 }],
  };
}

const A_WINDOW = { id: "w1", contentId: "c", title: "T", body: "B", openedAt: 1, closesAt: 2 };

const POPUP = {
  current: async () => null,
  openNow: async () => A_WINDOW,
  closeNow: async () => ({ id: A_WINDOW.id, views: 2 }),
};
const INVENTORY: MyThings = { inventory: async (playerId) => [{ item: "TICO", amount: `${playerId.length}` }] };
const NO_SESSIONS: Pick<SessionService, "noteCaller" | "sessionsOf"> = {
  noteCaller: () => {},
  sessionsOf: async () => ({ current: null, sessions: [] }),
};

/** What differs from an edge in memory. */
export interface EdgeOptions extends Partial<HttpServices> {
  me?: MyThings;
  sessions?: Pick<SessionService, "noteCaller" | "sessionsOf">;
  keepOut?: KeepOut;
}

/** All of the HTTP edge on a free port, with hunts and players in memory. */
export class Edge {
  readonly services: HttpServices;
  readonly hunts = new HuntsInMemory();
  readonly players: NewPlayer[] = [];
  readonly logged: string[] = [];
  readonly door: FrontDoor;

  constructor({ me, sessions, keepOut, ...overrides }: EdgeOptions = {}, clock: Clock = systemClock) {
    const parts = { me: me ?? INVENTORY, sessions: sessions ?? NO_SESSIONS };
    this.services = {
      production: false,
      trustProxy: false,
      clock,
      rng: seededRng(7),
      log: createLogger("info", { write: (line: string) => this.logged.push(line) }),
      metricsPage: new MetricsPage(new Metrics(() => ({ rooms: 0, clients: 0 })).registry, clock),
      metricsToken: undefined,
      hasMetricsPort: false,
      tokens: new Tokens(SECRET, clock),
      limits: new RequestLimits({ perAddress: 1_000_000 }),
      readiness: new Readiness(["database"]),
      flows: new FlowQueue(),
      players: { create: async (player) => void this.players.push(player) },
      noteCaller: (caller) => parts.sessions.noteCaller(caller),
      api: apiOf({
        hunts: { huntOperations: this.hunts },
        popups: { popup: POPUP, actors: { ref: () => POPUP } },
        prizes: { ledger: parts.me },
        sessions: parts.sessions,
      }),
      routes: [],
      pageFolder: temporaryFolder(),
      ...overrides,
    };
    const app = express();
    mountHttp(app, this.services);
    this.door = new FrontDoor(app, {
      trustProxy: this.services.trustProxy,
      flows: this.services.flows,
      ...(keepOut && { keepOut }),
    });
  }

  get port(): number {
    return (this.door.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async open(overrides?: EdgeOptions, clock?: Clock): Promise<Edge> {
    const edge = new Edge(overrides, clock);
    await new Promise<void>((resolve) => edge.door.listen(0, "127.0.0.1", resolve));
    return edge;
  }

  async close(): Promise<void> {
    this.door.closeAllConnections();
    await new Promise((resolve) => this.door.close(resolve));
    rmSync(this.services.pageFolder, { recursive: true });
  }

  token(role: Role, playerId = `${role}1`): Promise<string> {
    return this.services.tokens.issue({ playerId, name: role, role }, OPERATOR_TOKEN_MS);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#send(path, { headers });
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#send(path, {
      method: "POST",
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  }

  async #send(path: string, init: RequestInit): Promise<Answer> {
    return await answerOf(await fetch(`${this.url}${path}`, init));
  }
}

/** A Colyseus server behind this edge's door, on a free port; what Colyseus logs goes to the edge's log. */
export async function openRooms(edge: Edge, rooms: Record<string, new () => Room>): Promise<Server> {
  const quiet = (...args: unknown[]): void => edge.services.log.debug({ args }, "Colyseus");
  const server = new Server({
    transport: new PacedTransport({ server: edge.door, draining: () => edge.services.readiness.draining }),
    presence: new LocalPresence(),
    driver: new LocalDriver(),
    greet: false,
    gracefullyShutdown: false,
    logger: { ...console, debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  for (const [name, room] of Object.entries(rooms)) server.define(name, room);
  await server.listen(0, "127.0.0.1");
  return server;
}

/** Sends bytes as they are, and reads what comes back until the server closes. */
export async function sendRaw(edge: Edge, bytes: string | Uint8Array): Promise<string> {
  const socket = connect(edge.port, "127.0.0.1");
  socket.write(bytes);
  return (await buffer(socket)).toString("latin1");
}

/** What came back, read to its end. `error` is there when it was refused. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  body: Record<string, unknown>;
  error: { code: string; message: string; details?: unknown } | undefined;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("application/json") === true && text !== "";
  const body = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, text, body, error: body.error as Answer["error"] };
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "ringmaster-page-"));
}
