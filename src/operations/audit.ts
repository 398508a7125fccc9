import { z } from "zod";
import { AUDIT_OUTCOMES, type AuditFilter, type AuditLine, type AuditPlace, auditLines } from "../entities/audit.ts";
import { databaseError } from "../entities/failures.ts";
import type { Sql } from "../entities/sql.ts";
import { idOf } from "../ids.ts";
import { wholeNumber } from "../validate.ts";
import { limitOf, time } from "./fields.ts";
import { operationsWith } from "./Operation.ts";

/** What these need of the node. */
export interface AuditOperationServices {
  /** Where the audit is read: beside what players wait for. */
  auditSql: Pick<Sql, "query">;
}

const { query } = operationsWith<AuditOperationServices>();

/** 2100-01-01. */
const LATEST = 4_102_444_800_000;
const moment = wholeNumber(0, LATEST, "epoch milliseconds");

/** Which lines are asked for; all of these must hold. */
export const auditFilter = z.strictObject({
  operatorId: idOf("operator").optional(),
  command: z.string().min(1).max(64).optional(),
  subject: z.string().min(1).max(80).optional(),
  outcome: z.enum(AUDIT_OUTCOMES).optional(),
  from: moment.optional(),
  to: moment.optional(),
});

/** Of a page, where the next one begins: `1700000000000.id` of its last line. */
const place = z
  .string()
  .regex(/^\d{1,13}\.[0-9A-Za-z_-]{1,32}$/, "must be the `next` of a page before")
  .transform((text): AuditPlace => {
    const point = text.indexOf(".");
    return { at: Number(text.slice(0, point)), id: text.slice(point + 1) };
  });

const line = z.object({
  id: z.string(),
  at: time,
  operatorId: z.string(),
  operator: z.string(),
  role: z.string(),
  command: z.string(),
  subject: z.string().nullable(),
  args: z.unknown(),
  outcome: z.enum(AUDIT_OUTCOMES),
  error: z.string().nullable(),
  node: z.string(),
  via: z.enum(["room", "http"]),
  requestId: z.string().nullable(),
});

/** What is asked of what operators did. */
export const AUDIT_QUERIES = [
  query("audit", {
    description: "What operators did and were refused, latest first, a page at a time.",
    role: "operator",
    args: auditFilter.extend({ limit: limitOf(200, 50), after: place.optional() }),
    answer: z.object({ lines: z.array(line), next: z.string().nullable() }),
    endpoint: { method: "GET", path: "/audit" },
    run: async ({ limit, after, ...filter }, { auditSql }) => {
      const lines = await auditLines(auditSql, filter, { after, limit }).catch((error: unknown) => {
        throw databaseError(error);
      });
      const last = lines.length === limit ? lines.at(-1)! : undefined;
      return { lines, next: last ? `${last.at}.${last.id}` : null };
    },
  }),
];

/** Lines that an export reads at a time. */
const PAGE = 1000;

/** All lines that are asked for, latest first, a page at a time. Those that are written meanwhile are not among them. */
export async function* auditPages(
  sql: Pick<Sql, "query">,
  filter: AuditFilter,
  page = PAGE,
): AsyncGenerator<AuditLine[], void, undefined> {
  let after: AuditPlace | undefined;
  for (;;) {
    const lines = await auditLines(sql, filter, { after, limit: page });
    if (lines.length > 0) yield lines;
    if (lines.length < page) return;
    after = lines.at(-1)!;
  }
}
