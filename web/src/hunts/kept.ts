import type { Clue } from "../protocol.ts";
import { recall, remember } from "../storage.ts";
import type { Sending } from "./play.ts";

/** What a player comes back to: the open clue with the answer typed so far, and one on its way; or the wait for a clue. */
export type KeptPlay =
  | { at: "clue"; clue: Clue; lifetime: number; draft: string; sending?: Sending | undefined }
  | { at: "waiting" };

interface Kept {
  playerId: string;
  huntId: string;
  play: KeptPlay;
}

const KEY = "ringmaster.plays";
/** Hunts that nobody came back to must not pile up. */
const MOST_KEPT = 10;

/** What this browser keeps of the player's game in the hunt; tabs share it. */
export function keptPlay(playerId: string, huntId: string): KeptPlay | undefined {
  return kept().find((one) => one.playerId === playerId && one.huntId === huntId)?.play;
}

/** Keeps `play` in place of what was kept of the same game; without it, nothing is kept. */
export function keepPlay(playerId: string, huntId: string, play: KeptPlay | undefined): void {
  const others = kept().filter((one) => one.playerId !== playerId || one.huntId !== huntId);
  if (play) others.push({ playerId, huntId, play });
  remember(KEY, others.slice(-MOST_KEPT));
}

function kept(): Kept[] {
  const found = recall(KEY);
  return Array.isArray(found) ? found.filter((one) => typeof one?.play?.at === "string") : [];
}
