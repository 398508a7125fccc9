import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { SeatReservation } from "@colyseus/sdk";
import { WebSocket } from "ws";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";

/** A node on a database of its own, and how to be rid of both. */
export async function victim(env: NodeJS.ProcessEnv = {}): Promise<{ node: RingmasterNode; end(): Promise<void> }> {
  const directory = temporaryDirectory("security-test");
  const node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`, ...env });
  return {
    node,
    end: async () => {
      await node.kill();
      removeDirectory(directory);
    },
  };
}

/** A bare connection, which does nothing by itself and does not mind how it ends. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

/** Resolves once the socket is closed, whoever did it; what it was sent goes to nobody. */
export function closed(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));
}

/** How many files and sockets the process has open. */
export function descriptorsOf({ program }: RingmasterNode): number {
  return readdirSync(`/proc/${program.pid}/fd`).length;
}

/** What of the process is in memory, in bytes. */
export function residentOf({ program }: RingmasterNode): number {
  const pages = readFileSync(`/proc/${program.pid}/statm`, "latin1").split(" ")[1];
  return Number(pages) * 4096;
}

/** How a bare websocket into a room is asked for. */
export interface Seat {
  url: string;
  token: string;
}

/** A seat in the lobby, for whoever has the token; nobody has come for it yet. */
export async function seatIn(node: RingmasterNode, token: string, room = "lobby", options: object = {}): Promise<Seat> {
  const { status, body } = await node.post<SeatReservation>(`/matchmake/joinOrCreate/${room}`, {
    token,
    body: options,
  });
  if (status !== 200) throw new Error(`no seat: ${status} ${JSON.stringify(body)}`);
  const { processId, roomId, sessionId } = body as unknown as Record<string, string>;
  return {
    url: `ws://127.0.0.1:${node.port}/${processId}/${roomId}?sessionId=${sessionId}&_authToken=${token}`,
    token,
  };
}

/** A bare websocket that has taken a seat of the lobby and said so. */
export async function sit(node: RingmasterNode, token: string, options: object = {}): Promise<WebSocket> {
  const { url } = await seatIn(node, token);
  const socket = new WebSocket(url, { perMessageDeflate: false, ...options });
  socket.on("error", () => {});
  await new Promise((resolve, reject) => socket.once("message", resolve).once("close", reject).once("error", reject));
  socket.send(Buffer.from([10]));
  return socket;
}

/** The code with which the server ends this websocket. */
export function codeOf(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.once("close", (code) => resolve(code)));
}
