import type { Database, Sql, Transaction } from "../../src/entities/sql.ts";

/** What went to a database: one entry a statement, transactions' own included. */
export interface Statement {
  sql: string;
  params: readonly unknown[];
  /** How many rows it brought back. */
  rows: number;
}

/** A database that hands on to `base`, and tells of each statement. */
export function countedDatabase(base: Database, told: (statement: Statement) => void): Database {
  const counted = <S extends Sql>(sql: S): Pick<Sql, "query" | "write"> => ({
    async query<T>(text: string, params: readonly unknown[] = []): Promise<T[]> {
      const rows = await sql.query<T>(text, params);
      told({ sql: text, params, rows: rows.length });
      return rows;
    },
    async write(text, params = []) {
      told({ sql: text, params, rows: 0 });
      return sql.write(text, params);
    },
  });
  const begin = async (): Promise<Transaction> => {
    told({ sql: "BEGIN", params: [], rows: 0 });
    const tx = await base.begin();
    return over(tx, {
      ...counted(tx),
      commit: () => {
        told({ sql: "COMMIT", params: [], rows: 0 });
        return tx.commit();
      },
    });
  };
  const transaction = async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
    const tx = await begin();
    const result = await work(tx).catch(async (error: unknown) => {
      await tx.rollback();
      throw error;
    });
    await tx.commit();
    return result;
  };
  const database: Database = over(base, { ...counted(base), begin, transaction, of: () => database });
  return database;
}

function over<T extends object>(base: T, own: Partial<T>): T {
  return new Proxy(base, {
    get: (target, name) => {
      if (name in own) return own[name as keyof T];
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
