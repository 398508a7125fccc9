/** Loaded into a node (`--expose-gc --import`): tells by what its memory is used once what nobody refers to is gone. */
export interface MemoryMb {
  rss: number;
  heap: number;
  external: number;
}

/** With the number that it is answered under. */
export type MemoryQuestion = { memory: number };
export type MemoryAnswer = MemoryMb & { answers: number };

const mb = (bytes: number): number => Number((bytes / 1e6).toFixed(1));

process.on("message", ({ memory }: MemoryQuestion) => {
  (globalThis as unknown as { gc(): void }).gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send!({ answers: memory, rss: mb(rss), heap: mb(heapUsed), external: mb(external) } satisfies MemoryAnswer);
});
