import { z } from "zod";
import { FlagError, type LoadFlags } from "./flags.ts";

type Target = Pick<LoadFlags, "endpoint">;

/** The JSON that the server answers at `path`. Throws an error that names the address when it cannot be reached, or refuses. */
export async function get(target: Target, path: string): Promise<unknown> {
  return ask(target, path, {});
}

/** The same for a command of an operator's. */
export async function post(target: Target, path: string, token: string, body: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return ask(target, path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** The id of what is made at `path` with an operator's token. Throws a FlagError without one. */
export async function made(target: Target, token: string | undefined, path: string, body: object): Promise<string> {
  if (token === undefined) throw new FlagError("--operator: is needed, or the id of what there is");
  return z.object({ id: z.string() }).parse(await post(target, path, token, body)).id;
}

async function ask({ endpoint }: Target, path: string, init: RequestInit): Promise<unknown> {
  const address = new URL(path, endpoint.replace(/^ws/, "http"));
  const response = await fetch(address, init).catch((error: Error) => {
    throw new Error(`${address} cannot be reached: ${(error.cause as Error | undefined)?.message ?? error.message}`);
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`${address} answered ${response.status}: ${body}`);
  return JSON.parse(body);
}
