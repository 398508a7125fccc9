/**
 * Everything the runtime touches outside itself, so that tests can simulate a cluster in one process.
 *
 * - **node**: one process that runs Ringmaster. **owner**: the node that an actor lives on. **epoch**: how often an actor
 *   has changed owners. **version**: how many turns of an actor have committed.
 */

/** What a node tells of itself with each beat. */
export interface NodeInfo {
  id: string;
  role: "all" | "web" | "worker";
  /** The address that clients reach this node's rooms at, if it has one of its own. */
  publicAddress?: string;
  /** It is shutting down: it takes no actors, and those it has are on their way out. */
  draining?: boolean;
  /** It cannot reach the database, which others may: what it owns is anybody's to take, and it answers no calls. */
  cutOff?: boolean;
}

/** A node's latest beat as it stands in the shared memory. */
export interface Beat {
  info: NodeInfo;
  /** Differs from one beat to the next. */
  count: number;
}

/** What a beat brings back. */
export interface Pulse {
  /** Everybody's beats, this one included. */
  beats: Beat[];
  /** The shared memory's own time, in milliseconds: it goes on while a node's machine, and with it the node's clocks, stand still. */
  at: number;
}

/** How nodes tell that they live and send each other messages: Redis in a cluster, memory in one process. */
export interface Bus {
  /** Writes this node's beat and reads everybody's, in one round trip. Rejects when the shared memory is out of reach. */
  beat(info: NodeInfo, count: number): Promise<Pulse>;
  /** Takes nodes off the list: itself when it leaves, peers that have been dead for long. */
  remove(nodeIds: readonly string[]): Promise<void>;
  /**
   * Sends to one node. Resolves with false when it certainly was not delivered (nobody listens, or the shared memory is out
   * of reach before anything was sent); rejects when that is unknown.
   */
  send(nodeId: string, message: string): Promise<boolean>;
  /** Sends to every node but this one, as far as they can be reached. */
  broadcast(message: string): Promise<void>;
  /** Hears what is sent to `nodeId`, and broadcasts. */
  listen(nodeId: string, onMessage: (message: string) => void): Promise<void>;
  close(): Promise<void>;
}

/** What the runtime reports; prom-client in the server. */
export interface RuntimeMetrics {
  turn(kind: string, seconds: number): void;
  timerLateness(kind: string, seconds: number): void;
  active(kind: string, change: 1 | -1): void;
  /** A call ended with an error of this code. */
  actorFailed(kind: string, code: string): void;
  /** A tell to an actor of this kind has become a dead letter. */
  deadLetter(kind: string): void;
  /** `read` tells how long the oldest message that this node has yet to deliver has waited, in milliseconds. */
  outboxLag(read: () => { events: number; tells: number }): void;
}

/** The part of a logger that the runtime uses. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
