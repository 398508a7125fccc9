import type { Peers } from "./Peers.ts";
import type { Residents } from "./Residents.ts";

/** Told to the node that a call went to: what waits behind it may wait for itself. */
const PROBE = "actors:probe";
/** Told to the node where a call waits: it closes a cycle. */
const CYCLE = "actors:cycle";
/** Told to the node where a call waits: its caller waits no more. */
const WITHDRAW = "actors:withdraw";
/** Calls that one probe follows; a longer cycle ends by its deadline. */
const MOST_FOLLOWED = 64;

/** A call that an actor's turn waits for, or that somebody may withdraw: its id, and the actor that it is of. */
export interface Wait {
  edge: string;
  key: string;
}

/** A wait, and the node that the call went to. */
interface Outgoing extends Wait {
  nodeId: string;
}

/** A look for a cycle, from the call that may close one along the calls that wait for each other. */
interface Probe {
  from: Outgoing;
  at: Wait;
  followed: number;
}

/**
 * Finds turns that wait for each other in a circle, as edge-chasing does (Chandy, Misra and Haas, 1983). A call that has to wait
 * in its actor's mailbox starts a probe. The probe goes along what the running turn waits for, as long as that waits in a mailbox too,
 * from node to node; back at the turn whose call it started with, there is a cycle, and that call fails. Of all calls of a cycle the last
 * one to wait finds the others there. A probe that is lost leaves the cycle to the deadlines.
 */
export class CallCycles {
  readonly #residents: Residents;
  readonly #peers: Peers;
  /** By actor whose turn runs here, the calls that it waits for, by their ids. */
  readonly #outgoing = new Map<string, Map<string, Outgoing>>();

  constructor({ residents, peers }: { residents: Residents; peers: Peers }) {
    this.#residents = residents;
    this.#peers = peers;
    peers.onSignal(PROBE, (probe) => this.#follow(probe as Probe));
    peers.onSignal(CYCLE, (wait) => this.#fail(wait as Wait));
    peers.onSignal(WITHDRAW, (wait) => void this.#residents.withdraw(wait as Wait, "withdrawn"));
  }

  /** The turn of `caller`, which runs here, waits for a call that goes to this node. */
  sent(caller: string, wait: Wait, nodeId: string): void {
    const waits = this.#outgoing.get(caller) ?? new Map<string, Outgoing>();
    this.#outgoing.set(caller, waits.set(wait.edge, { ...wait, nodeId }));
  }

  /** It waits no more. */
  ended(caller: string, edge: string): void {
    const waits = this.#outgoing.get(caller);
    if (waits?.delete(edge) && waits.size === 0) this.#outgoing.delete(caller);
  }

  /** A call that a turn made waits in a mailbox here. */
  waits(wait: Wait): void {
    this.#follow({ from: { ...wait, nodeId: this.#peers.nodeId }, at: wait, followed: 0 });
  }

  /** Whoever made this call has given it up: where it has not begun, it never does. Whether that is certain. */
  withdraw(wait: Wait, nodeId: string): boolean {
    if (nodeId === this.#peers.nodeId) return this.#residents.withdraw(wait, "withdrawn");
    this.#peers.signal(nodeId, WITHDRAW, wait);
    return false;
  }

  #follow({ from, at, followed }: Probe): void {
    if (followed >= MOST_FOLLOWED || !this.#residents.isWaiting(at)) return;
    for (const next of this.#outgoing.get(at.key)?.values() ?? []) {
      if (next.edge === from.edge) this.#close(from);
      else this.#pass({ from, at: { edge: next.edge, key: next.key }, followed: followed + 1 }, next.nodeId);
    }
  }

  #pass(probe: Probe, nodeId: string): void {
    if (nodeId === this.#peers.nodeId) this.#follow(probe);
    else this.#peers.signal(nodeId, PROBE, probe);
  }

  #close({ nodeId, edge, key }: Outgoing): void {
    if (nodeId === this.#peers.nodeId) this.#fail({ edge, key });
    else this.#peers.signal(nodeId, CYCLE, { edge, key });
  }

  #fail(wait: Wait): void {
    this.#residents.withdraw(wait, "cycle");
  }
}
