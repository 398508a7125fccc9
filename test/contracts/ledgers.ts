import type { ClueLedger, HuntKey, LedgerRules } from "../../src/stores/hunts/ClueLedger.ts";
import { MemoryClueLedger } from "../../src/stores/hunts/MemoryClueLedger.ts";
import { RedisClueLedger } from "../../src/stores/hunts/RedisClueLedger.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { sharedRedis } from "../support/servers.ts";

/** A ledger under test. */
export interface OpenLedger {
  ledger: ClueLedger;
  /** Loses everything that the ledger holds, as a Redis that died does. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}

/** Both implementations, by the name that a test's title gives them. */
export const LEDGERS: { name: string; open: () => Promise<OpenLedger> }[] = [
  {
    name: "MemoryClueLedger",
    async open() {
      const ledger = new MemoryClueLedger();
      return { ledger, wipe: () => ledger.close(), close: () => ledger.close() };
    },
  },
  {
    name: "RedisClueLedger",
    async open() {
      const redis = connectRedis((await sharedRedis()).url, "ledger-test");
      await whenReady(redis);
      const ledger = new RedisClueLedger(redis);
      return {
        ledger,
        async wipe() {
          const keys = await redis.keys("{hunt3:*");
          if (keys.length > 0) await redis.unlink(...keys);
        },
        async close() {
          await ledger.close();
          redis.disconnect();
        },
      };
    },
  },
];

let hunts = 0;

/** A hunt that no other test has. */
export function freshHunt(rules: Partial<LedgerRules> = {}): HuntKey {
  hunts += 1;
  return {
    id: `test-${process.pid}-${hunts}`,
    rules: { clueTtlMs: 60_000, attempts: 3, points: [10, 20, 30], total: 300, ...rules },
  };
}
