import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { CloseCode, getMessageBytes, matchMaker, Protocol } from "@colyseus/core";
import { type TransportOptions, WebSocketTransport } from "@colyseus/ws-transport";
import { systemClock } from "../../clock.ts";
import { networksOf } from "../../edge/addresses.ts";
import { KeepOut } from "../../edge/KeepOut.ts";
import { KeyedBuckets } from "../../edge/KeyedBuckets.ts";
import { outdatedClient } from "../../edge/outdated.ts";
import { RingmasterError, toRingmasterError } from "../../errors.ts";
import { BaseRoom } from "./BaseRoom.ts";
import { holdFrames } from "./earlyFrames.ts";
import { GuardedSocket } from "./GuardedSocket.ts";
import { refusal } from "./refusal.ts";
import { SocketMeter } from "./SocketMeter.ts";

/** Pings go out this often, to a share of the sockets each time. In milliseconds. */
const SLICE_MS = 50;

/** What ws takes of a client: parts of a message, and pieces that these come in. Clients send one, and networks a dozen. */
const MOST_FRAGMENTS = 32;
const MOST_PIECES = 256;
/** How long a client may take to answer that its connection is closed, in milliseconds. */
const CLOSE_MS = 5000;

/** So many websockets of an address may end because their client broke the protocol, and so many more each second. No client does that by itself. */
const BROKEN_BURST = 20;
const BROKEN_PER_SECOND = 1;

/** A seat that somebody wants to take up again. */
interface Return {
  roomId: string;
  sessionId: string;
  /** The player's own. */
  token: string;
}

export interface PacedTransportOptions extends TransportOptions {
  /** Whether this node is on its way out. */
  draining(): boolean;
  /** Where those are remembered whose connections ended for what they did. */
  keepOut?: KeepOut;
}

/**
 * Colyseus's websocket transport, but that its pings are spread over their interval, that what one client sends and leaves unread is
 * bounded (`SocketMeter`, `GuardedSocket`), and that a node that drains lets no socket into its rooms. Colyseus pings every socket of
 * the process in one go: with 14,000 of them that keeps all answers waiting for a tenth of a second, every three seconds. Any pong would
 * do for it, also of a client that reads nothing. And it would seat whoever was given a seat before, in a room that closes.
 */
export class PacedTransport extends WebSocketTransport {
  constructor({ draining, keepOut = new KeepOut(systemClock), ...options }: PacedTransportOptions) {
    const bounds = {
      WebSocket: GuardedSocket,
      maxFragments: MOST_FRAGMENTS,
      maxBufferedChunks: MOST_PIECES,
      // `GuardedSocket` bounds what waits, pongs among it.
      maxPendingAutoPongs: 0,
      closeTimeout: CLOSE_MS,
    };
    super({ ...bounds, ...options } as TransportOptions);
    const { onConnection } = this;
    const broken = new KeyedBuckets(systemClock);
    this.wss.off("connection", onConnection).on("connection", (socket: GuardedSocket, request, ...rest) => {
      guard(socket, request, keepOut, broken);
      const outdated = outdatedClient(request.url);
      if (draining()) refuse(socket, new RingmasterError("draining"), CloseCode.SERVER_SHUTDOWN);
      else if (outdated !== undefined) refuse(socket, outdated, CloseCode.WITH_ERROR);
      else {
        const join = (): Promise<void> =>
          onConnection(socket as GuardedSocket & { pingCount: number }, request, ...rest);
        const returning = returnOf(request);
        void (returning === undefined ? join() : admitBack(socket, returning, join)).finally(holdFrames(socket));
      }
    });
  }

  protected override autoTerminateUnresponsiveClients(intervalMs: number, mostUnanswered: number): void {
    const { clients } = this.wss;
    let round = clients.values();
    let nextRoundAt = performance.now() + intervalMs;
    this.pingInterval = setInterval(() => {
      // A little more than the share of a slice, so that a round is over in time.
      const slice = Math.ceil((clients.size * SLICE_MS) / (intervalMs - SLICE_MS));
      const said = randomBytes(4).toString("latin1");
      for (let left = slice; left > 0; left--) {
        const { value: socket, done } = round.next();
        if (!done) pingOrTerminate(socket as GuardedSocket, said, mostUnanswered);
        else if (performance.now() < nextRoundAt) return;
        else {
          round = clients.values();
          nextRoundAt = performance.now() + intervalMs;
        }
      }
    }, SLICE_MS);
  }
}

/** What a socket says that is to take up a seat again; `undefined` for every other. */
function returnOf({ url, headers }: IncomingMessage): Return | undefined {
  const { pathname, searchParams } = new URL(`ws://server${url}`);
  const sessionId = searchParams.get("sessionId");
  if (sessionId === null || !searchParams.has("reconnectionToken")) return undefined;
  const token = searchParams.get("_authToken") ?? /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
  return { roomId: pathname.split("/").at(-1)!, sessionId, token };
}

/** Colyseus goes by the reconnection token alone, and takes the seat away when what follows fails. */
async function admitBack(socket: GuardedSocket, { roomId, sessionId, token }: Return, join: () => Promise<void>) {
  const room: unknown = matchMaker.getLocalRoomById(roomId);
  try {
    if (room instanceof BaseRoom) await room.admitBack(sessionId, token);
  } catch (error) {
    refuse(socket, toRingmasterError(error), CloseCode.FAILED_TO_RECONNECT);
    return;
  }
  // Nobody would tell the room that it is gone.
  if (socket.readyState === GuardedSocket.OPEN) await join();
}

function guard(socket: GuardedSocket, request: IncomingMessage, keepOut: KeepOut, broken: KeyedBuckets): void {
  const address = String(request.headers["x-real-ip"] ?? request.socket.remoteAddress);
  const network = networksOf(address)[0]!.key;
  socket.stream = request.socket;
  socket.meter = new SocketMeter(socket, request.socket, {
    clock: systemClock,
    ended: () => keepOut.add(socket.owner ?? network),
  });
  // Whoever makes a new player for each attempt is known by the address alone.
  socket.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (code?.startsWith("WS_ERR_") && !broken.of(network, BROKEN_PER_SECOND, BROKEN_BURST).take())
      keepOut.add(network);
  });
  socket.on("pong", (said) => {
    if (socket.unanswered.includes(said.toString("latin1"))) socket.unanswered = [];
  });
}

/** The SDK rejects the join with the error; whoever came to take up a seat again learns from the code what to do. */
function refuse(socket: GuardedSocket, error: RingmasterError, code: CloseCode): void {
  socket.on("error", () => {});
  socket.send(getMessageBytes[Protocol.ERROR](error.status, refusal(error).message));
  socket.close(code);
}

function pingOrTerminate(socket: GuardedSocket, said: string, mostUnanswered: number): void {
  if (socket.unanswered.length >= mostUnanswered) {
    socket.terminate();
    return;
  }
  socket.unanswered.push(said);
  socket.ping(Buffer.from(said, "latin1"));
}
