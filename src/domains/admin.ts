import { Audit20261130150000 } from "../entities/migrations/20261130150000-audit.ts";
import { auditRoutes } from "../http/audit.ts";
import { operationRoutes } from "../http/operations.ts";
import { AUDIT_QUERIES } from "../operations/audit.ts";
import { AdminRoom } from "../rooms/admin/AdminRoom.ts";
import { byAge } from "../schedulers/retention/purges.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** How long the audit of what operators did and were refused stays, in days: an event can be compared with that of a year ago. */
export const AUDIT_DAYS = 400;

/** Where operators run the commands and queries of all domains, and what is kept of it. */
export const admin = defineDomain({
  name: "admin",
  migrations: [Audit20261130150000],
  retention: [
    { ...byAge({ name: "audit", table: "audit", key: ["id"], age: "at", days: AUDIT_DAYS }), mostARun: 5_000_000 },
  ],
  open: ({ database, operations }) => ({ operations, auditSql: database.of("reports") }),
  rooms: { admin: { room: AdminRoom } },
  routes: ({ auditSql, operations }) => ({ "/": operationRoutes(operations), "/audit": auditRoutes(auditSql) }),
  queries: AUDIT_QUERIES,
});
