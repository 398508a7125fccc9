import { DEADLINE_MS, until } from "./processes.ts";

/** How much later than it was meant a request may arrive, on a machine that does other things too. */
const LATE_MS = 3000;

interface Listed {
  id: string;
  phase: string;
  phaseEndsAt: number;
}

/** Has the demo hunt of the node at `url` begin at once, by an operator's token, and waits until it has. */
export async function beginDemoHunt(url: string, token: string): Promise<void> {
  const demo = async (...phases: string[]): Promise<Listed | undefined> => {
    const { hunts } = (await (await fetch(`${url}/api/hunts`)).json()) as { hunts: Listed[] };
    return hunts.find(({ phase }) => phases.includes(phase));
  };
  const { id, phase, phaseEndsAt } = await until(() => demo("discovery", "solving"), {
    timeoutMs: DEADLINE_MS,
    what: "there is a demo hunt",
  });
  // What is about to begin by itself would be over.
  if (phase === "discovery" && phaseEndsAt - Date.now() > LATE_MS) {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    await fetch(`${url}/api/hunts/${id}/end`, { method: "POST", headers, body: "{}" });
  }
  await until(() => demo("solving"), { timeoutMs: DEADLINE_MS, what: "the demo hunt is being solved" });
}
