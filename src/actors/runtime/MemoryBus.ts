import type { Beat, Bus, NodeInfo, Pulse } from "./ports.ts";

/** The shared memory of nodes that live in one process: the embedded server has one node, simulated clusters have several. */
export class MemoryHub {
  /** The time of the shared memory. It stands still: what happens to one process happens to all that it holds. */
  now: () => number = () => 0;
  readonly beats = new Map<string, Beat>();
  readonly ears = new Map<string, (message: string) => void>();
}

export class MemoryBus implements Bus {
  readonly #hub: MemoryHub;
  #nodeId: string | undefined;

  constructor(hub: MemoryHub = new MemoryHub()) {
    this.#hub = hub;
  }

  async beat(info: NodeInfo, count: number): Promise<Pulse> {
    this.#hub.beats.set(info.id, { info, count });
    return { beats: [...this.#hub.beats.values()], at: this.#hub.now() };
  }

  async remove(nodeIds: readonly string[]): Promise<void> {
    for (const id of nodeIds) this.#hub.beats.delete(id);
  }

  async send(nodeId: string, message: string): Promise<boolean> {
    const ear = this.#hub.ears.get(nodeId);
    if (ear) queueMicrotask(() => ear(message));
    return ear !== undefined;
  }

  async broadcast(message: string): Promise<void> {
    for (const [id, ear] of this.#hub.ears) if (id !== this.#nodeId) queueMicrotask(() => ear(message));
  }

  async listen(nodeId: string, onMessage: (message: string) => void): Promise<void> {
    this.#nodeId = nodeId;
    this.#hub.ears.set(nodeId, onMessage);
  }

  async close(): Promise<void> {
    if (this.#nodeId !== undefined) this.#hub.ears.delete(this.#nodeId);
  }
}
