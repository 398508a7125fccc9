import type { OperationTerms } from "./Operation.ts";
import { type JsonSchema, jsonSchemaOf } from "./schemas.ts";

/** An operation, as whoever writes a console needs it. */
export interface OperationDescription {
  name: string;
  /** The least role that may. */
  role: string;
  description: string;
  /** JSON Schemas; an answer that is nothing has an empty one. */
  args: JsonSchema;
  answer: JsonSchema;
  /** `POST /api/hunts/:huntId/start`, where there is one. Its answer may wrap the operation's. */
  endpoint?: string;
}

export interface Description {
  commands: OperationDescription[];
  queries: OperationDescription[];
}

/** What operators can do and read. */
export function description(all: readonly OperationTerms[]): Description {
  return {
    commands: all.filter(({ kind }) => kind === "command").map(described),
    queries: all.filter(({ kind }) => kind === "query").map(described),
  };
}

function described({ name, role, description, args, answer, endpoint }: OperationTerms): OperationDescription {
  return {
    ...{ name, role, description, args: jsonSchemaOf(args, "input"), answer: jsonSchemaOf(answer, "output") },
    ...(endpoint && { endpoint: `${endpoint.method} /api${endpoint.path}` }),
  };
}
