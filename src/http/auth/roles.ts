import { OPERATOR_TOKEN_MS, type Tokens } from "./tokens.ts";

/** The identity behind the token that is printed at start where no secret was set. */
const OPERATOR = { playerId: "operator", name: "Operator", role: "operator" } as const;

/** An operator's token, good for 12 hours. */
export function operatorToken(tokens: Tokens): Promise<string> {
  return tokens.issue(OPERATOR, OPERATOR_TOKEN_MS);
}
