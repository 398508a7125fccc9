import { problemOf } from "./problems.ts";
import { session } from "./session.ts";

/** Asks an endpoint as whoever has signed in, with `body` as JSON where there is one. Rejects with a `Problem`. */
export async function api<Answer>(path: string, method: "GET" | "POST" = "GET", body?: object): Promise<Answer> {
  const token = session.value?.token;
  try {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    if (body) headers["content-type"] = "application/json";
    const response = await fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const answer: unknown = await response.json().catch(() => ({ code: response.status }));
    if (!response.ok) throw answer;
    return answer as Answer;
  } catch (error) {
    throw problemOf(error);
  }
}
