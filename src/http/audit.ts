import { once } from "node:events";
import { Router } from "express";
import type { Sql } from "../entities/sql.ts";
import { auditFilter, auditPages } from "../operations/audit.ts";
import { validate } from "../validate.ts";
import { requireRole } from "./auth/authenticate.ts";

/** `GET /export` for operators: the lines of the audit as JSON, one a line, latest first. */
export function auditRoutes(sql: Pick<Sql, "query">): Router {
  const router = Router({ caseSensitive: true });
  router.get("/export", requireRole("operator"), async (request, response) => {
    const filter = validate(auditFilter, request.query);
    response.type("application/x-ndjson");
    for await (const lines of auditPages(sql, filter)) {
      const isTaken = response.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      if (response.destroyed) return;
      // A client that takes nothing is cut off by the front door.
      if (!isTaken) await Promise.race([once(response, "drain"), once(response, "close")]);
    }
    response.end();
  });
  return router;
}
