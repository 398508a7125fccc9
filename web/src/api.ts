import { problemOf } from "./problems.ts";
import { session } from "./session.ts";

/** Asks an endpoint as whoever has signed in. Rejects with a `Problem`. */
export async function api<Answer>(path: string, method: "GET" | "POST" = "GET"): Promise<Answer> {
  const token = session.value?.token;
  try {
    const headers: HeadersInit = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(path, { method, headers });
    const body: unknown = await response.json().catch(() => ({ code: response.status }));
    if (!response.ok) throw body;
    return body as Answer;
  } catch (error) {
    throw problemOf(error);
  }
}
