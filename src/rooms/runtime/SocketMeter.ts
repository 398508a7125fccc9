import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Clock } from "../../clock.ts";
import { TokenBucket } from "../../edge/TokenBucket.ts";
import { type FrameHead, frameHead } from "./frameHeads.ts";

/** Frames that a client may send before a room has let it in: that it joined, and what it asks at once. */
const FRAMES_PER_SECOND = 10;
const FRAME_BURST = 40;
/** For each message that a room allows a client, so many frames are read: to be told of a limit, one must be heard. */
const FRAMES_PER_MESSAGE = 5;

/** While a client leaves more than this unread, in bytes, nothing more is read from it. */
const READING_BYTES = 256 * 1024;

/** How often a client that is held is looked at again, in milliseconds. */
const HELD_MS = 100;
/** How often that may be, and how often again each second: some 5 seconds without a pause in what it sends. */
const ALLOWANCE = 40;
const ALLOWANCE_PER_SECOND = 2;

/** A message that has begun must have come to its end within this time, in milliseconds. */
const MESSAGE_MS = 10_000;
/** Milliseconds for a client to read why its connection ends. */
const LINGER_MS = 1000;

const NOTHING = Buffer.alloc(0);
type Reason = "rate" | "unread" | undefined;

/** RFC 6455, 7.4.1: the client broke a rule. The SDK does not come back by itself at this code. */
export const POLICY_VIOLATION = 1008;

export interface MeterPorts {
  clock: Clock;
  /** The connection was ended for what its client did. */
  ended(): void;
}

/**
 * Stands between a connection's bytes and ws, which takes apart all that has come before anybody can stop it. Frames are counted by
 * their heads, and passed on as fast as the client may send; the rest waits unread, here (no more than one read of the socket, 64 kB)
 * and in the client. So what is too much costs a pause.
 *
 * `flowing` → `held` when the client is too fast or does not read; → `flowing` once what was held is passed on. `held` → `ended` when it has been too
 * fast for too long: closed with 1008. A message that does not end ends the connection as well.
 */
export class SocketMeter {
  readonly #socket: WebSocket;
  readonly #stream: Socket;
  /** What ws does with bytes. */
  readonly #pass: (bytes: Buffer) => void;
  readonly #ports: MeterPorts;
  readonly #allowance: TokenBucket;
  #bucket: TokenBucket;
  /** Bytes that are not passed on yet. They begin with the head of a frame unless `#payloadLeft` says otherwise. */
  #held: Buffer = NOTHING;
  #payloadLeft = 0;
  #isFragmented = false;
  #isHeld = false;
  #isEnded = false;
  #cancelHeld = (): void => {};
  /** There while a message has begun and not ended. */
  #cancelMessage: (() => void) | undefined;

  /** `stream` is the connection of `socket`, which has just been opened. */
  constructor(socket: WebSocket, stream: Socket, ports: MeterPorts) {
    this.#socket = socket;
    this.#stream = stream;
    this.#ports = ports;
    this.#bucket = new TokenBucket(FRAMES_PER_SECOND, FRAME_BURST, ports.clock);
    this.#allowance = new TokenBucket(ALLOWANCE_PER_SECOND, ALLOWANCE, ports.clock);
    const [listener] = stream.listeners("data");
    this.#pass = (bytes) => void listener!.call(stream, bytes);
    stream.removeAllListeners("data").on("data", (bytes: Buffer) => this.#onBytes(bytes));
    // ws would take apart what is left in the stream.
    stream.prependOnceListener("close", () => this.#stop());
    socket.once("error", () => {
      this.#stop();
      // ws reads on what else is sent, and throws it away; it begins with that in a tick of its own.
      process.nextTick(() => this.#readNoFurther());
    });
  }

  /** The client has been let into a room, which allows it so many messages. */
  allow(messagesPerSecond: number, messageBurst: number): void {
    const perSecond = messagesPerSecond * FRAMES_PER_MESSAGE;
    this.#bucket = new TokenBucket(perSecond, messageBurst * FRAMES_PER_MESSAGE, this.#ports.clock);
  }

  #onBytes(bytes: Buffer): void {
    if (this.#isEnded) return;
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    // What ws resumes by itself comes on top of what waits.
    if (this.#isHeld) this.#socket.pause();
    else this.#passOn();
  }

  #passOn(): void {
    const reason = this.#passAllowed();
    if (this.#isEnded) return;
    if (reason === undefined) {
      if (this.#isHeld) this.#socket.resume();
      this.#isHeld = false;
      return;
    }
    if (reason === "rate" && !this.#allowance.take()) {
      this.#end("Too many messages.");
      return;
    }
    if (!this.#isHeld) this.#socket.pause();
    this.#isHeld = true;
    this.#cancelHeld = this.#ports.clock.schedule(() => this.#passOn(), HELD_MS);
  }

  /** Passes on whole frames and parts of payloads, as far as may be, and tells why not all of them. */
  #passAllowed(): Reason {
    let reason: Reason;
    let end = 0;
    for (;;) {
      const payload = Math.min(this.#payloadLeft, this.#held.length - end);
      this.#payloadLeft -= payload;
      end += payload;
      const head = frameHead(this.#held, end);
      if (head === undefined) break;
      reason = this.#refusal();
      if (reason !== undefined) break;
      this.#begin(head);
      end += head.bytes;
    }
    // What ws keeps of a message that does not end, and a part of a head, are copied, so that they do not keep all that came with them.
    const passed = reason === undefined ? this.#held.subarray(0, end) : Buffer.from(this.#held.subarray(0, end));
    const rest = this.#held.subarray(end);
    this.#held = rest.length === 0 ? NOTHING : reason === undefined ? Buffer.from(rest) : rest;
    this.#watchMessage();
    if (passed.length > 0) this.#pass(passed);
    return reason;
  }

  #refusal(): Reason {
    if (this.#socket.bufferedAmount > READING_BYTES) return "unread";
    return this.#bucket.take() ? undefined : "rate";
  }

  #begin({ payload, isFinal, isControl }: FrameHead): void {
    this.#payloadLeft = payload;
    // Pings may come between the fragments of a message.
    if (!isControl) this.#isFragmented = !isFinal;
  }

  #watchMessage(): void {
    const isWhole = this.#payloadLeft === 0 && !this.#isFragmented;
    if (isWhole) {
      this.#cancelMessage?.();
      this.#cancelMessage = undefined;
    } else {
      this.#cancelMessage ??= this.#ports.clock.schedule(() => this.#end("The message does not end."), MESSAGE_MS);
    }
  }

  /** Closes the connection. */
  #end(why: string): void {
    this.#stop();
    this.#ports.ended();
    this.#socket.close(POLICY_VIOLATION, why);
    this.#readNoFurther();
  }

  /** Leaves its client a moment to read why the connection ends; what is still sent stays unread. */
  #readNoFurther(): void {
    this.#socket.pause();
    const cancel = this.#ports.clock.schedule(() => this.#socket.terminate(), LINGER_MS);
    this.#stream.once("close", cancel);
  }

  #stop(): void {
    this.#isEnded = true;
    this.#held = NOTHING;
    this.#cancelHeld();
    this.#cancelMessage?.();
    if (this.#stream.destroyed) while (this.#stream.read() !== null);
  }
}
