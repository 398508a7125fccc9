/**
 * How long players who mean no harm wait while others attack their node, beside the same flood sent to a bare TCP sink next to it, and
 * whether memory and descriptors come back. `npm run bench -- attacks --seconds 8`
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
import type { Done, Orders } from "./edge/attackerProcess.ts";
import { FLOODS, type Target } from "./edge/floods.ts";
import { type InnocentRound, Innocents } from "./edge/Innocents.ts";
import { run, say } from "./runtime/run.ts";
import { residentMbOf } from "./runtime/usage.ts";

const HELP = `npm run bench -- attacks [flags]

  --seconds N       how long each attack goes on (8)
  --rest N          seconds after an attack at which memory and descriptors are looked at (30)
  --attackers LIST  how many attack at once (1,5)
  --only LIST       these attacks alone: ${Object.keys(FLOODS).join(",")}
  --report FILE     write all figures as JSON
`;

const GOAL = 2;
const INNOCENTS = 4;
const SCORES = 100;

/** One attack, by so many at once. */
export interface Attacked {
  flood: string;
  attackers: number;
  /** Beside the same flood sent to a sink. */
  sink: InnocentRound & { done: Done };
  node: InnocentRound & { done: Done };
  /** Resident memory of the node in MB, and its open files, before the attack, at its end, and after the rest. */
  residentMb: [before: number, atEnd: number, after: number];
  descriptors: [before: number, atEnd: number, after: number];
}

export interface AttacksResult {
  quiet: InnocentRound;
  attacks: Attacked[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "8" },
      rest: { type: "string", default: "30" },
      attackers: { type: "string", default: "1,5" },
      only: { type: "string", default: Object.keys(FLOODS).join(",") },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const floods = values.only.split(",").filter((name) => FLOODS[name] !== undefined);
  const attackers = values.attackers.split(",").map((each) => numberOf("attackers", each, { min: 1, isWhole: true }));
  const ms = numberOf("seconds", values.seconds, { min: 0.2 }) * 1000;
  const restMs = numberOf("rest", values.rest) * 1000;
  say(
    `${availableParallelism()} × ${cpus()[0]?.model}, Node ${process.version}; load average ${loadavg()[0]!.toFixed(1)}`,
  );
  const bench = await Bench.open();
  try {
    const result: AttacksResult = { quiet: await bench.innocents.round(ms), attacks: [] };
    say(`\nwithout an attack: room p50 ${result.quiet.room.p50} p99 ${result.quiet.room.p99} ms\n${HEADINGS}`);
    for (const flood of floods)
      for (const count of attackers) {
        const attacked = await bench.attack(flood, count, ms, restMs);
        result.attacks.push(attacked);
        say(lineOf(attacked));
      }
    if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(result, null, 2)}\n`);
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

  static async open(): Promise<Bench> {
    await import("../scripts/buildWeb.ts");
    const folder = temporaryDirectory("bench-attacks");
    const secret = randomBytes(32).toString("base64url");
    const own = { NODE_ENV: "production", PORT: "0", JWT_SECRET: secret, LOG_LEVEL: "error", DEMO: "false" };
    const node = await start("../src/index.ts", [], {
      ...own,
      DATABASE_URL: `sqlite:${join(folder, "ringmaster.sqlite")}`,
    });
    const url = await node.line("being ready", (line) => /is ready: (http:\S+)/.exec(line)?.[1]);
    const sink = await start("edge/sink.ts", []);
    const sinkPort = await sink.message("its port", (message) => (message as { port?: number }).port);
    const tournamentId = await createTournament(url, await operatorToken(new Tokens(secret, systemClock)));
    const innocents = new Innocents(url.replace("localhost", "127.0.0.1"), tournamentId);
    for (let score = 1; score <= SCORES; score += 1) await innocents.score(score);
    await innocents.join(INNOCENTS);
    const asset = /\/assets\/[\w.-]+\.js/.exec(await (await fetch(url)).text())?.[0];
    if (asset === undefined) throw new Error("the player's page has no script");
    return new Bench(
      { node, sink, folder, innocents },
      { port: Number(new URL(url).port), isSink: false, asset, tournamentId },
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

  async attack(flood: string, attackers: number, ms: number, restMs: number): Promise<Attacked> {
    const sink = await this.#round({ ...this.#nodeTarget, port: this.#sinkPort, isSink: true, flood, attackers }, ms);
    const before = this.#usage();
    const node = await this.#round({ ...this.#nodeTarget, flood, attackers }, ms);
    const atEnd = this.#usage();
    await pause(restMs);
    const after = this.#usage();
    const residentMb: Attacked["residentMb"] = [before.mb, atEnd.mb, after.mb];
    return { flood, attackers, sink, node, residentMb, descriptors: [before.files, atEnd.files, after.files] };
  }

  async close(): Promise<void> {
    await Promise.all([this.#node.kill(), this.#sink.kill()]);
    removeDirectory(this.#folder);
  }

  async #round(orders: Orders, ms: number): Promise<InnocentRound & { done: Done }> {
    const attacker = await start("edge/attackerProcess.ts", [JSON.stringify(orders)]);
    try {
      const round = await this.innocents.round(ms);
      attacker.send("what have you done?");
      const done = await attacker.message("what it has done", (message) => message as Done);
      return { ...round, done };
    } finally {
      await attacker.kill();
    }
  }

  #usage(): { mb: number; files: number } {
    if (this.#node.exit !== undefined) throw new Error(`the node has ended: ${JSON.stringify(this.#node.exit)}`);
    return { mb: residentMbOf(this.#node.pid), files: readdirSync(`/proc/${this.#node.pid}/fd`).length };
  }
}

function start(script: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Program> {
  return Program.start({
    name: script,
    command: process.execPath,
    args: [fileURLToPath(new URL(script, import.meta.url)), ...args],
    env: { ...process.env, ...env },
    ipc: true,
  });
}

async function createTournament(url: string, token: string): Promise<string> {
  const startsAt = Date.now();
  const answer = await fetch(`${url}/api/tournaments`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: "Bench", game: "snake", startsAt, endsAt: startsAt + 86_400_000 }),
  });
  if (!answer.ok) throw new Error(`no tournament: ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

const HEADINGS = [
  "attack       by | room p99, ms: sink   node  ratio | http p99, ms: sink   node  ratio |",
  "goes sink, node | MB before, at end, after | files before, at end, after | errors",
].join(" ");

function lineOf({ flood, attackers, sink, node, residentMb, descriptors }: Attacked): string {
  const beside = (pick: (round: InnocentRound) => number): string => {
    const [one, other] = [pick(sink), pick(node)];
    const ratio = other / one;
    return `${String(one).padStart(6)} ${String(other).padStart(6)} ${ratio.toFixed(2)}${ratio > GOAL ? "!" : " "}`;
  };
  const errors = Object.keys(node.errors).length === 0 ? "none" : JSON.stringify(node.errors);
  return [
    `${flood.padEnd(12)} ${String(attackers).padStart(2)}`,
    beside(({ room }) => room.p99),
    beside(({ http }) => http.p99),
    `${sink.done.goes}, ${node.done.goes}`,
    residentMb.join(", "),
    descriptors.join(", "),
    errors,
  ].join(" | ");
}

await run(main);
