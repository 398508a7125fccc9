/**
 * How long players who mean no harm wait while others attack their node, beside the same flood sent to a bare TCP sink next to it, and
 * whether memory and descriptors come back. `npm run bench -- attacks --rounds 3`
 */
import { randomBytes } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { removeDirectory, temporaryDirectory } from "../scripts/processes/guard.ts";
import { Program } from "../scripts/processes/Program.ts";
import { systemClock } from "../src/clock.ts";
import { operatorToken } from "../src/http/auth/roles.ts";
import { Tokens } from "../src/http/auth/tokens.ts";
import type { Orders } from "./edge/attackerProcess.ts";
import { FLOODS, type Target } from "./edge/floods.ts";
import { type InnocentRound, Innocents } from "./edge/Innocents.ts";
import type { MemoryAnswer, MemoryMb, MemoryQuestion } from "./edge/memoryPorts.ts";
import type { Done } from "./edge/traces.ts";
import { medianOf } from "./runtime/medianOf.ts";
import { type QuantileRatio, quantileRatio } from "./runtime/quantiles.ts";
import { run, say } from "./runtime/run.ts";
import { cpuSecondsOf } from "./runtime/usage.ts";

const HELP = `npm run bench -- attacks [flags]

  --seconds N       how long each round of an attack goes on (10)
  --rounds N        rounds of each, to the node and to the sink in turn; p99s are of all of them together, other figures medians (3)
  --rest N          seconds after an attack's last round at which memory and descriptors are looked at (30)
  --attackers LIST  how many attack at once (1,5)
  --only LIST       these attacks alone: ${Object.keys(FLOODS).join(",")}
  --profile FOLDER  write there where the node's time went, as a CPU profile
  --report FILE     write all figures as JSON
`;

const GOAL = 2;
const INNOCENTS = 16;
const SCORES = 100;

/** What goes on in a round of an attack. */
export interface Round extends InnocentRound {
  done: Done;
  /** What the node used of the CPU, in seconds: it tells more than times where others use the machine as well. */
  cpuSeconds: number;
}

/** What a node holds: its memory after a garbage collection, and its open files. */
export interface Held {
  memory: MemoryMb;
  descriptors: number;
}

/** One attack, by so many at once. */
export interface Attacked {
  flood: string;
  attackers: number;
  node: Round[];
  /** The same floods again, sent to a sink. */
  sink: Round[];
  /** Of all rounds' requests together. */
  p99: QuantileRatio;
  before: Held;
  atEnd: Held;
  after: Held;
}

export interface AttacksResult {
  quiet: InnocentRound;
  attacks: Attacked[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "10" },
      rounds: { type: "string", default: "3" },
      rest: { type: "string", default: "30" },
      attackers: { type: "string", default: "1,5" },
      only: { type: "string", default: Object.keys(FLOODS).join(",") },
      profile: { type: "string" },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const floods = values.only.split(",").filter((name) => FLOODS[name] !== undefined);
  const attackers = values.attackers.split(",").map((each) => numberOf("attackers", each, { min: 1, isWhole: true }));
  const rounds = numberOf("rounds", values.rounds, { min: 1, isWhole: true });
  const ms = numberOf("seconds", values.seconds, { min: 0.2 }) * 1000;
  const restMs = numberOf("rest", values.rest) * 1000;
  say(
    `${availableParallelism()} × ${cpus()[0]?.model}, Node ${process.version}; load average ${loadavg()[0]!.toFixed(1)}`,
  );
  const bench = await Bench.open(values.profile);
  try {
    // The first finds everything cold.
    await bench.innocents.round(ms);
    const result: AttacksResult = { quiet: await bench.innocents.round(ms), attacks: [] };
    const { all } = result.quiet;
    say(`\nwithout an attack: ${all.count} requests, p50 ${all.p50} p99 ${all.p99} ms\n${HEADINGS}`);
    for (const flood of floods)
      for (const count of attackers) {
        const attacked = await bench.attack(flood, count, { rounds, ms, restMs });
        result.attacks.push(attacked);
        say(lineOf(attacked));
      }
    if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(result, withoutLists, 2)}\n`);
  } finally {
    await bench.close();
  }
}

/** A node with a tournament that a hundred have a score in, players who mean no harm, and a sink. */
class Bench {
  readonly innocents: Innocents;
  readonly #node: Program;
  readonly #sink: Program;
  readonly #nodeTarget: Target;
  readonly #sinkPort: number;
  readonly #folder: string;
  #rounds = 0;
  #questions = 0;

  static async open(profile: string | undefined): Promise<Bench> {
    await import("../scripts/buildWeb.ts");
    const folder = temporaryDirectory("bench-attacks");
    const secret = randomBytes(32).toString("base64url");
    const own = { NODE_ENV: "production", PORT: "0", JWT_SECRET: secret, LOG_LEVEL: "error", DEMO: "false" };
    const ports = fileURLToPath(new URL("edge/memoryPorts.ts", import.meta.url));
    const flags = ["--expose-gc", "--import", ports];
    if (profile !== undefined) flags.push("--cpu-prof", `--cpu-prof-dir=${profile}`);
    const node = await start("../src/index.ts", {
      flags,
      env: { ...own, DATABASE_URL: `sqlite:${join(folder, "ringmaster.sqlite")}` },
    });
    const url = await node.line("being ready", (line) => /is ready: (http:\S+)/.exec(line)?.[1]);
    const sink = await start("edge/sink.ts");
    const sinkPort = await sink.message("its port", (message) => (message as { port?: number }).port);
    const tournamentId = await createTournament(url, await operatorToken(new Tokens(secret, systemClock)));
    const innocents = new Innocents(url.replace("localhost", "127.0.0.1"), tournamentId);
    for (let score = 1; score <= SCORES; score += 1) await innocents.score(score);
    await innocents.join(INNOCENTS);
    const asset = /\/assets\/[\w.-]+\.js/.exec(await (await fetch(url)).text())?.[0];
    if (asset === undefined) throw new Error("the player's page has no script");
    return new Bench(
      { node, sink, folder, innocents },
      { port: Number(new URL(url).port), asset, tournamentId },
      sinkPort,
    );
  }

  private constructor(
    { node, sink, folder, innocents }: { node: Program; sink: Program; folder: string; innocents: Innocents },
    target: Target,
    sinkPort: number,
  ) {
    this.#node = node;
    this.#sink = sink;
    this.#folder = folder;
    this.innocents = innocents;
    this.#nodeTarget = target;
    this.#sinkPort = sinkPort;
  }

  async attack(
    flood: string,
    attackers: number,
    { rounds, ms, restMs }: { rounds: number; ms: number; restMs: number },
  ): Promise<Attacked> {
    const trace = join(this.#folder, "trace.json");
    const [node, sink]: [Round[], Round[]] = [[], []];
    const before = await this.#held();
    let atEnd = before;
    for (let round = 0; round < rounds; round += 1) {
      node.push(await this.#round({ trace, flood, node: this.#nodeTarget, addresses: this.#addresses(attackers) }, ms));
      atEnd = await this.#held();
      sink.push(await this.#round({ trace, sink: { port: this.#sinkPort } }, ms));
    }
    // The last round of the sink was a rest already.
    await pause(Math.max(0, restMs - ms));
    const after = await this.#held();
    return { flood, attackers, node, sink, p99: p99Of(node, sink), before, atEnd, after };
  }

  async close(): Promise<void> {
    await Promise.all([this.#node.stop(10_000), this.#sink.kill()]);
    removeDirectory(this.#folder);
  }

  async #round(orders: Orders, ms: number): Promise<Round> {
    const attacker = await start("edge/attackerProcess.ts", { args: [JSON.stringify(orders)] });
    try {
      await attacker.message("being ready", (message) => (message === "ready" ? true : undefined));
      await attacker.send("begin");
      const used = cpuSecondsOf(this.#node.pid);
      const asked = this.innocents.round(ms);
      // Answers may come later than that; the flood to the sink goes on as long as that to the node.
      await pause(ms);
      const cpuSeconds = Number((cpuSecondsOf(this.#node.pid) - used).toFixed(2));
      await attacker.send("end");
      const done = await attacker.message("what it has done", (message) =>
        message === "ready" ? undefined : (message as Done),
      );
      await attacker.kill();
      const round = await asked;
      return { ...round, done, cpuSeconds };
    } finally {
      await attacker.kill();
    }
  }

  /** The innocent come from 127.0.0.1, and attackers from addresses that nobody before them has had kept out. */
  #addresses(count: number): string[] {
    this.#rounds += 1;
    return Array.from({ length: count }, (_, n) => `127.1.${this.#rounds}.${n + 1}`);
  }

  async #held(): Promise<Held> {
    if (this.#node.exit !== undefined) throw new Error(`the node has ended: ${JSON.stringify(this.#node.exit)}`);
    this.#questions += 1;
    await this.#node.send({ memory: this.#questions } satisfies MemoryQuestion);
    const { answers: _, ...memory } = await this.#node.message("its memory", (message) => {
      const answer = message as MemoryAnswer;
      return answer.answers === this.#questions ? answer : undefined;
    });
    return { memory, descriptors: readdirSync(`/proc/${this.#node.pid}/fd`).length };
  }
}

function start(
  script: string,
  { flags = [], args = [], env = {} }: { flags?: string[]; args?: string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<Program> {
  return Program.start({
    name: script,
    command: process.execPath,
    args: [...flags, fileURLToPath(new URL(script, import.meta.url)), ...args],
    env: { ...process.env, ...env },
    ipc: true,
  });
}

async function createTournament(url: string, token: string): Promise<string> {
  const startsAt = Date.now();
  const answer = await fetch(`${url}/api/tournaments`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: "Bench", game: "tetris", startsAt, endsAt: startsAt + 86_400_000 }),
  });
  if (!answer.ok) throw new Error(`no tournament: ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

const HEADINGS =
  "attack, by | p50 in ms: node, sink | p99: node, sink; ratio (nine of ten draws of the rounds) | room p99: node, sink | http p99: node, sink | " +
  "node's CPU s: node, sink | connections, writes, MB | MB of heap, heap's pages, external, resident before; at the end; after | files | errors";

function lineOf({ flood, attackers, node, sink, p99, before, atEnd, after }: Attacked): string {
  const median = (rounds: Round[], pick: (round: Round) => number): number => medianOf(rounds.map(pick));
  const p50 = [node, sink].map((rounds) => median(rounds, ({ all }) => all.p50));
  const held = [before, atEnd, after];
  const { connections, writes, mb } = node.at(-1)!.done;
  return [
    `${flood}, ${attackers}`,
    p50.join(", "),
    `${p99.of.toFixed(1)}, ${p99.beside.toFixed(1)}; ${p99.ratio.toFixed(2)} (${p99.from.toFixed(2)} to ${p99.to.toFixed(2)})${met(p99)}`,
    [node, sink].map((rounds) => median(rounds, ({ room }) => room.p99)).join(", "),
    [node, sink].map((rounds) => median(rounds, ({ http }) => http.p99)).join(", "),
    [node, sink].map((rounds) => median(rounds, ({ cpuSeconds }) => cpuSeconds)).join(", "),
    `${connections}, ${writes}, ${mb}`,
    held
      .map(({ memory: { heap, heapPhysical, external, rss } }) => `${heap}, ${heapPhysical}, ${external}, ${rss}`)
      .join("; "),
    held.map(({ descriptors }) => descriptors).join(", "),
    JSON.stringify(Object.assign({}, ...node.map(({ errors }) => errors))),
  ].join(" | ");
}

function p99Of(node: readonly Round[], sink: readonly Round[]): QuantileRatio {
  return quantileRatio(
    node.map(({ ms }) => ms),
    sink.map(({ ms }) => ms),
    0.99,
  );
}

/** Marks what is beyond the goal, and what the rounds do not say. */
function met({ from, to }: QuantileRatio): string {
  return from > GOAL ? "!" : to > GOAL ? "?" : "";
}

/** A report tells quantiles. */
function withoutLists(key: string, value: unknown): unknown {
  return key === "ms" ? undefined : value;
}

await run(main);
