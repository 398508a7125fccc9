import { databaseError } from "../../entities/failures.ts";

/** What `work` resolves to. Rejects with `unavailable` when the database is out of reach. */
export async function reading<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw databaseError(error);
  }
}
