import { Observable } from "./observable.ts";
import type { Player } from "./protocol.ts";
import { forget, recall, remember } from "./storage.ts";

/** Who plays here, and the token that says so. */
export interface Session {
  token: string;
  player: Player;
}

const KEY = "ringmaster.session";

/** The longest name that the field takes. */
export const NAME_LENGTH = 24;

export const session = new Observable<Session | undefined>(stored());

/** Who this browser plays as since the server took the former player's token no longer, until the person has taken note of it. */
export const renewed = new Observable<Player | undefined>(undefined);

let renewal: Promise<Session> | undefined;

/** Signs in as a new player of that name. Rejects with the body of the server's error. */
export async function signIn(name: string): Promise<Session> {
  const response = await fetch("/auth/anonymous", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  const body: unknown = await response.json().catch(() => ({ code: response.status }));
  if (!response.ok) throw body;
  const made = body as Session;
  remember(KEY, made);
  session.set(made);
  return made;
}

/** Signs in as another player of the same name once the server has rejected `rejected`; rooms that ask at once share one sign-in. */
export function renew(rejected: Session): Promise<Session> {
  const current = session.value;
  if (current && current.token !== rejected.token) return Promise.resolve(current);
  renewal ??= signIn(rejected.player.name)
    .then((made) => {
      renewed.set(made.player);
      return made;
    })
    .finally(() => {
      renewal = undefined;
    });
  return renewal;
}

export function signOut(): void {
  forget(KEY);
  renewed.set(undefined);
  session.set(undefined);
}

function stored(): Session | undefined {
  const found = recall(KEY) as Partial<Session> | null;
  return typeof found?.token === "string" && typeof found.player?.id === "string" ? (found as Session) : undefined;
}
