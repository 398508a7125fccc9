import { z } from "zod";

/** A JSON Schema, as far as this looks into it. */
export interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  type?: string;
  [keyword: string]: unknown;
}

/** The JSON Schema of what is sent (`input`) or answered (`output`); what JSON Schema cannot say is left out. */
export function jsonSchemaOf(schema: z.ZodType, io: "input" | "output"): JsonSchema {
  const {
    $schema: _dialect,
    "~standard": _standard,
    ...said
  } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema;
  return said;
}
