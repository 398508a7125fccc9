import type { IRoomCache, matchMaker } from "@colyseus/core";
import { Client } from "@colyseus/sdk";
import { type Program, startProcess } from "../../support/processes.ts";

export type Seat = Awaited<ReturnType<typeof matchMaker.joinOrCreate>>;

/** What the parent has a node do. */
export type Call =
  | { call: "join" | "create"; room: "keyed" | "plain"; event: string }
  /** Where this node sends new rooms; to itself unless told. */
  | { call: "placeAt"; processId: string | undefined }
  | { call: "forget"; processId: string }
  | { call: "listings" | "running" | "faults" | "closeDoors" | "drain" };

/** What a node tells its parent. */
export type NodeReport =
  | { ready: { port: number; processId: string } }
  | { id: number; value: unknown }
  | { id: number; error: { code: unknown; message: string } };

/** A Ringmaster of nothing but rooms, in a process of its own (`roomNode.ts`). */
export class RoomProcess {
  readonly program: Program;
  readonly processId: string;
  /** For the clients of this node. */
  readonly sdk: Client;
  #calls = 0;

  static async start(redisUrl: string): Promise<RoomProcess> {
    const program = await startProcess("test/rooms/support/roomNode.ts", {
      env: { TEST_REDIS_URL: redisUrl, NODE_ENV: "production" },
    });
    const ready = await program.message("being ready", (message) => {
      const report = message as NodeReport;
      return "ready" in report ? report.ready : undefined;
    });
    return new RoomProcess(program, ready);
  }

  private constructor(program: Program, ready: { port: number; processId: string }) {
    this.program = program;
    this.processId = ready.processId;
    this.sdk = new Client(`ws://127.0.0.1:${ready.port}`);
  }

  join(room: "keyed" | "plain", event: string): Promise<Seat> {
    return this.#call({ call: "join", room, event });
  }

  create(room: "keyed" | "plain", event: string): Promise<Seat> {
    return this.#call({ call: "create", room, event });
  }

  placeAt(processId: string | undefined): Promise<void> {
    return this.#call({ call: "placeAt", processId });
  }

  forget(processId: string): Promise<void> {
    return this.#call({ call: "forget", processId });
  }

  listings(): Promise<IRoomCache[]> {
    return this.#call({ call: "listings" });
  }

  /** The ids of the rooms that run there, listed or not. */
  running(): Promise<string[]> {
    return this.#call({ call: "running" });
  }

  /** Errors there that nobody handled. */
  faults(): Promise<string[]> {
    return this.#call({ call: "faults" });
  }

  closeDoors(): Promise<void> {
    return this.#call({ call: "closeDoors" });
  }

  drain(): Promise<void> {
    return this.#call({ call: "drain" });
  }

  async #call<T>(call: Call): Promise<T> {
    this.#calls += 1;
    const id = this.#calls;
    await this.program.send({ id, call });
    const answer = await this.program.message(`an answer to ${call.call}`, (message) => {
      const report = message as NodeReport;
      return "id" in report && report.id === id ? report : undefined;
    });
    if ("error" in answer) throw Object.assign(new Error(answer.error.message), answer.error);
    return answer.value as T;
  }
}
