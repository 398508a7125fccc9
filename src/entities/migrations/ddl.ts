import type { QueryRunner } from "typeorm";

/** What differs between the two dialects' DDL. Text compares byte by byte in both: ids are ids. */
export function dialectOf(runner: QueryRunner): { table: string; autoId: string } {
  return runner.connection.options.type === "mysql"
    ? {
        table: "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
        autoId: "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
      }
    : { table: "", autoId: "INTEGER PRIMARY KEY AUTOINCREMENT" };
}
