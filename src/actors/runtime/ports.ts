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
  /** How many actors live on it, give or take what makes no difference to where others should live. */
  actors?: number;
  /** How far its wall clock is ahead of the shared memory's, in milliseconds, give or take a quarter of a second. */
  clockOffMs?: number;
  /** Its clock is too far from the cluster's time for it to be given actors. */
  clockIsOff?: boolean;
}

/** A node's latest beat as it stands in the shared memory. */
export interface Beat {
  info: NodeInfo;
  /** Differs from one beat to the next. */
  count: number;
}

/** Where the list of nodes stands: which changes have been read. */
export interface Revision {
  /** Another one when the shared memory has lost what it knew. */
  era: string;
  number: number;
}

/** The latest beat of a node that may have fallen silent. */
export interface QuietBeat {
  id: string;
  /** Differs from one beat to the next. */
  mark: number;
  /** How long ago that was by the shared memory's clock, in milliseconds; 0 when it does not tell. */
  silentMs: number;
}

/** What a beat asks for. */
export interface BeatOptions {
  /** What this node says of itself has changed. */
  isNews: boolean;
  /** Up to where the list is known; undefined: all of it is to be read. */
  known: Revision | undefined;
  /** Whose latest beat is older than this many milliseconds may have fallen silent. */
  quietMs: number;
}

/** What a beat brings back. */
export interface BeatAnswer {
  /** The shared memory's own time, in epoch milliseconds, if it has a clock: it goes on while a node's machine, and with it the node's clocks, stand still. */
  at: number | undefined;
  revision: Revision;
  /** Whether `infos` are all that are on the list, and not only what has changed since the revision that was known. */
  isWhole: boolean;
  /** What nodes say of themselves. */
  infos: NodeInfo[];
  /** Nodes that have left the list since the revision that was known. */
  left: string[];
  /** How many nodes are on the list. */
  size: number;
  /** Whoever is on the list and not among these has beaten within `quietMs`. */
  quiet: QuietBeat[];
}

/** How nodes tell that they live and send each other messages: Redis in a cluster, memory in one process. */
export interface Bus {
  /**
   * Writes this node's beat and reads what is new about the others, in one round trip. Rejects when the shared memory is out of
   * reach.
   */
  beat(info: NodeInfo, count: number, options: BeatOptions): Promise<BeatAnswer>;
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
  /** So many more timers of such actors on this node fail, or fewer. */
  timersFailing(kind: string, change: number): void;
  /** A call ended with an error of this code. */
  actorFailed(kind: string, code: string): void;
  /** A message to an actor of this kind has become a dead letter; `event`: an event has. */
  deadLetter(kind: string): void;
  /** `read` tells how long the oldest message that this node has yet to deliver has waited, in milliseconds. */
  outboxLag(read: () => { events: number; messages: number }): void;
  /** How far this node's wall clock is ahead of the cluster's time. */
  clockOff(seconds: number): void;
}

/** The part of a logger that the runtime uses. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
