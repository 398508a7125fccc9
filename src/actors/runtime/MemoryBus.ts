import type { Beat, Bus, NodeInfo } from "./ports.ts";

/** The shared memory of nodes that live in one process: the embedded server has one node, simulated clusters have several. */
export class MemoryHub {
  readonly beats = new Map<string, Beat>();
  readonly ears = new Map<string, (message: string) => void>();
}

export class MemoryBus implements Bus {
  readonly #hub: MemoryHub;
  #nodeId: string | undefined;

  constructor(hub: MemoryHub = new MemoryHub()) {
    this.#hub = hub;
  }

  async beat(info: NodeInfo, count: number): Promise<Beat[]> {
    this.#hub.beats.set(info.id, { info, count });
    return [...this.#hub.beats.values()];
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
