/**
 * A bare process that stores as many turns as fall due at once, by mysql2 and nothing else: the same statement on as many
 * connections. Started by `hunts/besideLoad.ts` with the database's URL and the number of connections.
 */
import { createPool, type Pool, type ResultSetHeader } from "mysql2/promise";
import { ONE_STATEMENT } from "./rawTurns.ts";
import { serveLoad } from "./serveLoad.ts";

/** Between getting the turns ready and doing them: the bench has heard of it by then. */
const MARGIN_MS = 3000;
const ROWS_AT_ONCE = 1000;
const KEY = ["bench-ring", 1, "raw"] as const;

const [url, connections] = [process.argv[2]!, Number(process.argv[3])];
const pool = createPool({ uri: url, connectionLimit: connections, maxIdle: connections, charset: "utf8mb4_bin" });
/** By row: how often it was written. */
const versions: number[] = [];
const load = serveLoad(async (turns) => {
  const dueAt = Date.now() + MARGIN_MS;
  await addRows(pool, turns);
  await pool.query("UPDATE actors SET due_at = ?, timers = ?", [dueAt, timersOf(dueAt)]);
  const startsAt = Math.max(dueAt, Date.now() + MARGIN_MS);
  setTimeout(() => void storeAll(turns), startsAt - Date.now());
  return startsAt;
});
process.send!({ isReady: true });

/** As the timers of an actor whose timer is armed. */
function timersOf(due: number): string {
  return JSON.stringify([{ name: "ring", due, seq: 1 }]);
}

async function addRows(to: Pool, rows: number): Promise<void> {
  const [kind, epoch, owner] = KEY;
  while (versions.length < rows) {
    const page = Array.from({ length: Math.min(ROWS_AT_ONCE, rows - versions.length) }, () => versions.push(0) - 1);
    await to.query(
      `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, crashes, created_at, updated_at) VALUES ?`,
      [page.map((row) => [kind, `ring-${row}`, owner, epoch, 0, '{"rung":0}', "[]", 0, 0, 0])],
    );
  }
}

async function storeAll(rows: number): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < rows) {
        await store(next++);
        load.stored();
      }
    }),
  );
}

async function store(row: number): Promise<void> {
  const [kind, epoch] = KEY;
  const version = versions[row]!;
  const values = [JSON.stringify({ rung: version + 1 }), "[]", null, null, Date.now()];
  const [{ affectedRows }] = await pool.query<ResultSetHeader>(ONE_STATEMENT, [
    ...values,
    ...[kind, `ring-${row}`, epoch, version],
  ]);
  if (affectedRows !== 1) throw new Error(`a statement matched ${affectedRows} rows, not one`);
  versions[row] = version + 1;
}
