import { getHeapStatistics } from "node:v8";

/** Loaded into a node (`--expose-gc --import`): tells by what its memory is used once what nobody refers to is gone. */
export interface MemoryMb {
  rss: number;
  /** What of V8's heap is used, and what it has of the system. */
  heap: number;
  heapPhysical: number;
  external: number;
}

/** With the number that it is answered under. */
export type MemoryQuestion = { memory: number };
export type MemoryAnswer = MemoryMb & { answers: number };

const mb = (bytes: number): number => Number((bytes / 1e6).toFixed(1));

process.on("message", ({ memory }: MemoryQuestion) => {
  (globalThis as unknown as { gc(): void }).gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  const heapPhysical = mb(getHeapStatistics().total_physical_size);
  const told = { rss: mb(rss), heap: mb(heapUsed), heapPhysical, external: mb(external) };
  process.send!({ answers: memory, ...told } satisfies MemoryAnswer);
});
