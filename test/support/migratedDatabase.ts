import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { openDatabase } from "./database.ts";
import { freshDatabaseUrl } from "./servers.ts";

/** Statements that make the tables anew, with what migrations put in. */
let template: Promise<string> | undefined;

/**
 * The URL of a database of MariaDB that has all tables, and nothing but what migrations put in: a copy of one that was migrated once, since
 * migrations take most of many a test's time. `freshDatabaseUrl` gives one without tables.
 */
export async function migratedDatabaseUrl(): Promise<string> {
  template ??= dump();
  const statements = await template;
  const url = await freshDatabaseUrl();
  await withConnection(url, (connection) => connection.query(statements));
  return url;
}

async function dump(): Promise<string> {
  const url = await freshDatabaseUrl();
  await (await openDatabase({ kind: "mysql", url, pool: 5 })).close();
  return await withConnection(url, async (connection) => {
    const statements: string[] = [];
    const [tables] = await connection.query<RowDataPacket[]>("SHOW TABLES");
    for (const table of tables.map((row) => Object.values(row)[0] as string)) {
      const [[made]] = await connection.query<RowDataPacket[]>(`SHOW CREATE TABLE ${table}`);
      statements.push((made as { "Create Table": string })["Create Table"]);
      const [rows] = await connection.query<RowDataPacket[]>(`SELECT * FROM ${table}`);
      for (const row of rows)
        statements.push(connection.format("INSERT INTO ?? VALUES (?)", [table, Object.values(row)]));
    }
    return statements.join(";\n");
  });
}

async function withConnection<T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await createConnection({ uri: url, multipleStatements: true });
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}
