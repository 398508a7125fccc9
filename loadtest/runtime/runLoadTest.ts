import { type Rng, seededRng } from "../../src/clock.ts";
import type { Bot, Seat } from "./Bot.ts";
import { FlagError, LOAD_HELP, type LoadFlags, numberOf, readFlags } from "./flags.ts";
import { LoadTest } from "./LoadTest.ts";
import { Tally } from "./Tally.ts";

/** What a load test makes its bots with. */
export interface Play<Flag extends string, Event extends string, Timed extends string> {
  flags: LoadFlags;
  /** Its own flags. */
  own: Record<Flag, string | undefined>;
  rng: Rng;
  tally: Tally<Event, Timed>;
}

/** How the bots of a load test are made, and what its report says of how it was set. */
export interface Prepared {
  parameters: Record<string, string | number>;
  makeBot(seat: Seat): Bot;
}

/** A load test: a file beside `index.ts`, which runs it by its name. */
export interface LoadTestTerms<Flag extends string, Event extends string, Timed extends string> {
  /** The room that its players join, unless `--room` names another. */
  room: string;
  /** What `--help` says, of `--seed` and the flags that all have beside its own: see `helpOf`. */
  help: string;
  /** Its own flags, each with its default (undefined: none). */
  flags: Record<Flag, string | undefined>;
  /** What it counts beside what all load tests do. */
  events: readonly Event[];
  /** What it times: the requests that its bots ask. */
  timed: readonly Timed[];
  /** Has what is to be played made, if need be. Throws a FlagError for a flag that is wrong. */
  prepare(play: Play<Flag, Event, Timed>): Promise<Prepared>;
}

/** Help: what a test is, how it is called, its own flags in lines, and what may be said behind. */
export function helpOf({
  about,
  usage,
  flags,
  more = "",
}: Record<"about" | "usage" | "flags", string> & { more?: string }): string {
  return `${about}

  npm run loadtest -- ${usage} --report out.json

${LOAD_HELP}
${flags}
  --seed N                   repeats a test's choices
${more}
All players come from this one address. The server allows an address 1000 sign-ins, joins and requests in 10 seconds: start it
with RATE_LIMIT_PER_ADDRESS=1000000 for more than a few hundred players, or they are told rate_limited.
`;
}

/** Runs a load test to its end. What goes wrong before is told in one line, and ends the process: with 2 for a wrong flag, else with 1. */
export async function runLoadTest<Flag extends string, Event extends string, Timed extends string>(
  terms: LoadTestTerms<Flag, Event, Timed>,
): Promise<void> {
  try {
    await runTest(terms);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(error instanceof FlagError ? 2 : 1);
  }
}

async function runTest<Flag extends string, Event extends string, Timed extends string>({
  room,
  help,
  flags,
  events,
  timed,
  prepare,
}: LoadTestTerms<Flag, Event, Timed>): Promise<void> {
  const anySeed = String(Math.floor(Math.random() * 2 ** 32));
  const { shared, own, isHelpWanted } = readFlags<Flag | "seed">(process.argv.slice(2), room, {
    ...flags,
    seed: anySeed,
  } as Record<Flag | "seed", string | undefined>);
  if (isHelpWanted) return void process.stdout.write(help);
  const seed = numberOf("seed", own.seed!, { isWhole: true });
  const tally = new Tally(events, timed);
  const { parameters, makeBot } = await prepare({ flags: shared, own, rng: seededRng(seed), tally });
  await new LoadTest({ flags: shared, parameters: { ...parameters, seed }, tally, makeBot }).run();
}
