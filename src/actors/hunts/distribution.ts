/**
 * Clues kept ready beyond those that are waited for, so that a claim seldom waits for the hunt's actor: fetching more takes two
 * commits, in which a busy node gives out some hundred. Those never given before are a mere count, so they cost nothing.
 */
export const LOW_WATER = 2048;
/**
 * However many ask at once, an issue is a batch of at most this. The pool never grows beyond it while nobody waits: who waits may have
 * nothing that is in it, so it is no reason to issue less.
 */
export const POOL_CAP = 4096;

/** How the ledger stands, as the node that asks for more saw it. */
export interface PoolDemand {
  pool: number;
  waiting: number;
  /** Instances that the ledger has been given so far. */
  issued: number;
}

/** Whether a node that sees this should ask for more clues. Asks at half the low-water mark, so that asking is rare. */
export function wantsMore({ pool, waiting, issued }: PoolDemand, total: number): boolean {
  return issued < total && (waiting > 0 || pool < LOW_WATER / 2);
}

/**
 * How many instances should have been issued altogether: enough for who waits plus the low-water mark, which is some of each
 * template, within the cap. A demand that was seen before an earlier one was met asks for nothing new.
 */
export function issueUpTo(demand: PoolDemand, issued: number, total: number): number {
  if (demand.issued < issued) return issued;
  const wanted = demand.waiting > 0 ? demand.waiting + LOW_WATER : LOW_WATER - demand.pool;
  return Math.min(total, issued + Math.max(0, Math.min(wanted, POOL_CAP)));
}
