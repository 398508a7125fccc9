import { type Clock, sleep } from "../../clock.ts";

const RETRY_MS = 2000;

/** What `persist` needs beside the work. */
export interface Persistence {
  clock: Pick<Clock, "schedule">;
  /** Whether anybody still cares, asked before each repetition. */
  isWanted(): boolean;
  /** Is told of each failure. */
  failed(error: unknown): void;
}

/** Does something that rooms depend on and that nothing else will do; every two seconds again while it fails. */
export async function persist(work: () => Promise<void>, { clock, isWanted, failed }: Persistence): Promise<void> {
  do {
    try {
      return await work();
    } catch (error) {
      failed(error);
    }
    await sleep(clock, RETRY_MS);
  } while (isWanted());
}
