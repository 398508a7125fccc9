import type { Problem } from "../problems.ts";
import type { TournamentPhase } from "../protocol.ts";
import type { Report } from "./Submissions.ts";

/** What a score's way came to, in a sentence. */
export function reportText(report: Report): string {
  switch (report.at) {
    case "sending":
      return "The judges are told…";
    case "waiting":
      return waitingText(report.problem);
    case "refused":
      return refusalText(report.problem);
    case "counted":
      return "";
  }
}

/** A score that cannot be counted, and why that is. */
export function refusalText({ code, sentence, details }: Problem): string {
  const { phase, of } = (details ?? {}) as { phase?: TournamentPhase; of?: string };
  if (code === "wrong_phase") {
    if (phase === "scheduled") return "The tournament has not begun yet, so this round was a rehearsal.";
    if (phase === "grace") return "This round began after the bell, so it could not be counted.";
    return "The tournament had closed when this score came in, so it could not be counted.";
  }
  if (code === "run_refused") return "This round was begun by somebody else, so it could not be counted.";
  if (code === "entries_used_up" && of === "player")
    return "You have played all your rounds. What you have reached stands.";
  if (code === "entries_used_up")
    return "The tournament has taken all the rounds that it can. What you have reached stands.";
  return sentence;
}

function waitingText({ code }: Problem): string {
  if (code === "paused") return "Your score is safe here. It is sent when the tournament, which is paused, goes on.";
  if (code === "rate_limited")
    return "That was quick! The judges catch their breath; your score is counted in a moment.";
  return "Your score is safe here. It is sent again until the judges have it.";
}
