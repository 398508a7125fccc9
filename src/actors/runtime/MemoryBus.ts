import type { Beat, BeatAnswer, Bus, NodeInfo } from "./ports.ts";

/** The shared memory of nodes that live in one process: the embedded server has one node, simulated clusters have several. */
export class MemoryHub {
  /** The time of the shared memory, in epoch milliseconds. One process has none beside its own: what happens to that happens to all it holds. */
  now: (() => number) | undefined;
  readonly beats = new Map<string, Beat>();
  readonly ears = new Map<string, (message: string) => void>();
}

export class MemoryBus implements Bus {
  readonly #hub: MemoryHub;
  #nodeId: string | undefined;

  constructor(hub: MemoryHub = new MemoryHub()) {
    this.#hub = hub;
  }

  /** All is in this process's memory: there is nothing to be saved. */
  async beat(info: NodeInfo, count: number): Promise<BeatAnswer> {
    const { beats, now } = this.#hub;
    beats.set(info.id, { info, count });
    const all = [...beats.values()];
    return {
      at: now?.(),
      revision: { era: "", number: 0 },
      isWhole: true,
      infos: all.map((beat) => beat.info),
      left: [],
      size: all.length,
      quiet: all.map((beat) => ({ id: beat.info.id, mark: beat.count, silentMs: 0 })),
    };
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
