import type { Database, Transaction } from "../../src/entities/sql.ts";

/** How many rows a MariaDB server reads for what `work` does by itself, give or take the few that it takes to learn of it. */
export function rowsRead(database: Database, work: (within: Database) => Promise<unknown>): Promise<number> {
  return database.transaction(async (tx) => {
    const before = await readBy(tx);
    // One connection, whose counters these are.
    const [query, write] = [tx.query.bind(tx), tx.write.bind(tx)];
    const within = { ...database, dialect: "mysql", query, write, of: (): Database => all } as const;
    const begin = async () => ({ ...tx, ...within, manager: tx.manager, commit: nothing, rollback: nothing });
    const all: Database = { ...within, begin, transaction: (each) => each(tx) };
    await work(all);
    return (await readBy(tx)) - before;
  });
}

async function nothing(): Promise<void> {}

async function readBy(tx: Transaction): Promise<number> {
  const counters = await tx.query<{ Value: string }>("SHOW SESSION STATUS LIKE 'Handler_read%'");
  return counters.reduce((sum, { Value }) => sum + Number(Value), 0);
}
