import { recall, remember } from "../storage.ts";
import type { PendingScore, PendingScores } from "./Submissions.ts";

interface Kept extends PendingScore {
  tournamentId: string;
  playerId: string;
}

const KEY = "ringmaster.scores";
/** Those whose tournaments nobody came back to must not pile up. */
const MOST_KEPT = 20;

/** This player's scores for this tournament that the server has not answered yet, in the browser's storage; tabs share it. */
export function pendingScores(tournamentId: string, playerId: () => string): PendingScores {
  return {
    list: () =>
      kept()
        .filter((score) => score.tournamentId === tournamentId && score.playerId === playerId())
        .map(({ tournamentId, playerId, ...score }) => score),
    put: (pending) => remember(KEY, [...kept(), { ...pending, tournamentId, playerId: playerId() }].slice(-MOST_KEPT)),
    remove: (submissionId) => {
      remember(
        KEY,
        kept().filter((score) => score.submissionId !== submissionId),
      );
    },
  };
}

/** What waits for one player's answers waits for another's from now on, whatever tournaments it is for. */
export function handOver(from: string, to: string): void {
  remember(
    KEY,
    kept().map((score) => (score.playerId === from ? { ...score, playerId: to } : score)),
  );
}

function kept(): Kept[] {
  const found = recall(KEY);
  return Array.isArray(found) ? found.filter((score) => typeof score?.submissionId === "string") : [];
}
