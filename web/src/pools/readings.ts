import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";
import type { ItemAmount, Player } from "../protocol.ts";

export type Period = "daily" | "weekly" | "all";

export interface Game {
  id: string;
  name: string;
}

/** A pool that is open; `leader` has the best score so far. */
export interface OpenPool {
  game: string;
  period: Period;
  endsAt: number;
  items: ItemAmount[];
  leader: (Player & { playerId: string; score: number }) | null;
}

/** A pool that is over. */
export interface PastPool {
  endsAt: number;
  winner: { playerId: string; name: string; score: number } | null;
  paid: ItemAmount[];
}

export interface Ranking {
  rankedAt: number | null;
  total: number;
  rows: { rank: number; playerId: string; name: string; score: number }[];
}

export interface Draw {
  weekStartsAt: number;
  weekEndsAt: number;
  candidates: number;
  winner: { playerId: string; name: string } | null;
}

/** How often what is shown is read again, in milliseconds: rankings are made every hour, and pools are up to 2 s old. */
const AGAIN_MS = 60_000;

/**
 * What `path` answers: read when the path changes, when the lobby was joined again, and each minute while the page is in sight. Nothing
 * while a new path has not answered; without an answer to a later reading, what there was.
 */
export function useReading<Answer>(path: string | undefined, lobby: Lobby): Answer | undefined {
  const [reading, setReading] = useState<{ path: string; answer: Answer }>();
  const joins = useObservable(lobby.joins);
  useEffect(() => {
    if (path === undefined) return;
    let isCurrent = true;
    const read = (): void => {
      if (document.hidden) return;
      api<Answer>(path).then(
        (answer) => isCurrent && setReading({ path, answer }),
        () => undefined,
      );
    };
    read();
    const timer = setInterval(read, AGAIN_MS);
    document.addEventListener("visibilitychange", read);
    return () => {
      isCurrent = false;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", read);
    };
  }, [path, joins]);
  return reading !== undefined && reading.path === path ? reading.answer : undefined;
}

/** "30 Nov". */
export function dayText(at: number): string {
  return new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}
