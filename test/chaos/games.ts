import { until } from "../../scripts/processes/until.ts";
import { seededRng } from "../../src/clock.ts";
import { Hunts } from "../../src/entities/hunts/Hunt.ts";
import { HuntBot } from "../cluster/supportHuntBot.ts";
import { assertKept, HuntHistory, placesOf, recount } from "../cluster/supportHuntHistory.ts";
import { TournamentBot, TournamentHistory } from "../cluster/supportTournamentBot.ts";
import {
  answerFaults,
  awardFaults,
  entryFaults,
  hashOf,
  inventoryFaults,
  orderFaults,
  standingsOf,
} from "../cluster/supportTournamentChecks.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { someTournament } from "../tournaments/someTournament.ts";
import type { ChaosCluster } from "./ChaosCluster.ts";

/** Players go on until it has ended everywhere, in milliseconds; that it takes longer is a violation. */
const END_MS = 90_000;
const A_DAY_MS = 86_400_000;

/** What real players do during a run: played by bots, ended and compared with the database at its end. */
export interface Game {
  readonly name: string;
  /** What players lived through, by code or message. */
  readonly troubles: ReadonlyMap<string, number>;
  /** How far they have got. */
  readonly count: number;
  /** Ends it, and tells what is wrong. */
  end(): Promise<string[]>;
  leave(): void;
}

/** Begins a game on a cluster that is well. A later domain adds its own. */
export type Begin = (cluster: ChaosCluster, seed: number) => Promise<Game>;

export const GAMES: readonly Begin[] = [beginHunt, beginTournament];

const PLAYERS = 12;
const WINNERS = 5;

async function beginHunt(cluster: ChaosCluster, seed: number): Promise<Game> {
  const clues = Array.from({ length: 12 }, (_, at) => ({
    type: "sum",
    prompt: `What is ${at} and ${at}?`,
    answers: [`it is ${2 * at}`],
    points: 1 + at,
    repeatable: true,
  }));
  const times = { clueTtlMs: 8000, solvingMs: A_DAY_MS, revealMs: A_DAY_MS };
  const huntId = await cluster.createHunt(someHunt({ ...times, attempts: 2, winners: WINNERS, clues }));
  const history = new HuntHistory();
  const answers = clues.map((clue) => clue.answers[0]!);
  const urls = cluster.places.map(({ url }) => url);
  const bots = (await cluster.signIn(PLAYERS)).map(
    (player, at) => new HuntBot({ player, huntId, urls, answers, history, rng: seededRng(seed + at) }),
  );
  const play = Promise.all(bots.map((bot) => bot.play()));
  play.catch((error: unknown) => history.fault(String(error)));
  return {
    name: "hunt",
    troubles: history.troubles,
    get count() {
      return history.count;
    },
    end: () =>
      violationsOf("hunt", async () => {
        await commanded(() => cluster.command(`/api/hunts/${huntId}/end`));
        await inTime(play, `players of the hunt (faults: ${history.faults})`);
        await assertKept(
          cluster.database,
          huntId,
          history,
          bots.map(({ account }) => account),
        );
        const winners = placesOf((await new Hunts(cluster.database).get(huntId))!.winners!);
        expectSame("winners", winners, await recount(cluster.database, huntId, WINNERS));
      }),
    leave: () => {
      for (const bot of bots) bot.leave();
    },
  };
}

async function beginTournament(cluster: ChaosCluster, seed: number): Promise<Game> {
  const definition = someTournament({ endsAt: Date.now() + A_DAY_MS, graceMs: 3_600_000, maxSubmissions: 1_000_000 });
  const { id } = await cluster.command<{ id: string }>("/api/tournaments", definition);
  await until(async () => (await cluster.phaseOf(id)) === "open", {
    timeoutMs: END_MS,
    what: "the tournament is open",
  });
  const history = new TournamentHistory();
  const urls = cluster.places.map(({ url }) => url);
  const bots = (await cluster.signIn(PLAYERS)).map(
    (player, at) => new TournamentBot({ player, tournamentId: id, urls, history, rng: seededRng(seed + 1000 + at) }),
  );
  const play = Promise.all(bots.map((bot) => bot.play()));
  play.catch((error: unknown) => history.fault(String(error)));
  return {
    name: "tournament",
    troubles: history.troubles,
    get count() {
      return history.count;
    },
    end: () =>
      violationsOf("tournament", async () => {
        // Once from open to grace, in which nobody is refused, and once from there.
        for (const phase of ["grace", "settled"]) {
          await commanded(() => cluster.act(id, "end"));
          await until(async () => (await cluster.phaseOf(id)) === phase, {
            timeoutMs: END_MS,
            what: `it is in ${phase}`,
          });
        }
        await inTime(play, `players of the tournament (faults: ${history.faults})`);
        expectSame("faults that players saw", history.faults, []);
        const [entries, tournament] = await Promise.all([cluster.entriesOf(id), cluster.settled(id)]);
        expectSame("answers", answerFaults(history.submissions, entries), []);
        expectSame("entries", entryFaults(entries, tournament), []);
        expectSame("order", orderFaults(history.submissions, entries), []);
        const standings = standingsOf(entries, tournament);
        expectSame("standings", await cluster.standingsOf(id), standings);
        expectSame("hash", tournament.resultHash, hashOf(tournament, standings));
        const awards = await cluster.awardsOf(id);
        expectSame("awards", awardFaults(standings, tournament.prizes, awards), []);
        expectSame("inventories", inventoryFaults(awards, await cluster.inventories()), []);
      }),
    leave: () => {
      for (const bot of bots) bot.leave();
    },
  };
}

/** An operator repeats a command that failed in passing; one that is refused because it was carried out unheard has been. */
async function commanded(command: () => Promise<unknown>): Promise<void> {
  await until(
    async () => {
      try {
        await command();
        return true;
      } catch (error) {
        if (/wrong_phase/.test(String(error))) return true;
        throw error;
      }
    },
    { timeoutMs: END_MS, what: "an operator's command" },
  );
}

async function inTime(work: Promise<unknown>, whose: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${whose} have not come to the end within ${END_MS} ms`)), END_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function expectSame(what: string, found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what}: ${one}, and not ${other}`);
}

async function violationsOf(game: string, check: () => Promise<void>): Promise<string[]> {
  try {
    await check();
    return [];
  } catch (error) {
    return [`${game}: ${(error as Error).message}`];
  }
}
