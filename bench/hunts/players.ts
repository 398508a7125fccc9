/** A process of players: connects them, has them ask as it is told, and times the answers. Started by `claims.ts`. */
import { setTimeout as pause } from "node:timers/promises";
import { seededRng } from "../../src/clock.ts";
import { type Card, Player } from "./Player.ts";
import type { PlayersOrder, PlayersReport, Target } from "./protocol.ts";
import { answerTo } from "./theHunt.ts";

/** Players who join at a time. */
const JOINING = 16;
/** A steady stream's requests are sent this often: well below what is measured. */
const TICK_MS = 1;
/** What is unanswered this long after the last request will not be answered. */
const DEADLINE_MS = 15_000;
/** A room takes 20 requests a second of one player in the long run. */
const BETWEEN_REQUESTS_MS = 1000 / 15;

const players: Player[] = [];
const solving = new Set<Player>();
let clues = 0;
let errors: Record<string, number> = {};
let times: Record<"claim" | "solve" | "clue" | "lag", number[]>;
/** Called after each answer. */
let onAnswer: (player: Player) => void = () => {};
let isLeaving = false;

forgetTimes();

function forgetTimes(): void {
  times = { claim: [], solve: [], clue: [], lag: [] };
  errors = {};
}

function failed(code: string): void {
  errors[code] = (errors[code] ?? 0) + 1;
}

const events = {
  answered(player: Player, ok: boolean, payload: unknown): void {
    const { type, at } = player.asking!;
    const ms = performance.now() - at;
    player.asking = undefined;
    if (!ok) failed((payload as { code: string }).code);
    else if (type === "solve") {
      times.solve.push(ms);
      player.card = undefined;
    } else {
      times.claim.push(ms);
      if ("waiting" in (payload as object)) player.waitingSince = at;
      else take(player, payload as Card, ms);
    }
    onAnswer(player);
  },
  served(player: Player, card: Card): void {
    const since = player.waitingSince;
    player.waitingSince = undefined;
    take(player, card, since === undefined ? 0 : performance.now() - since);
    onAnswer(player);
  },
  phase(player: Player, phase: string): void {
    if (phase === "solving") solving.add(player);
  },
  closed(_player: Player, code: number): void {
    if (!isLeaving) failed(`closed with ${code}`);
  },
};

function take(player: Player, card: Card, ms: number): void {
  clues += 1;
  player.card = card;
  times.clue.push(ms);
}

function isIdle(player: Player): boolean {
  return player.asking === undefined && player.waitingSince === undefined;
}

/** A claim by who has no clue, the right answer by who has one. */
function askNext(player: Player): void {
  const { card } = player;
  if (card === undefined) player.ask("claim", {});
  else player.ask("solve", { assignmentId: card.assignmentId, answer: answerTo(card.clueId) });
}

async function join(target: Omit<Target, "pid">, tokens: string[]): Promise<void> {
  clues = 0;
  const left = tokens.values();
  await Promise.all(
    Array.from({ length: JOINING }, async () => {
      for (const token of left) players.push(await Player.join(target, token, events));
    }),
  );
}

async function burst(at: number): Promise<void> {
  await pause(Math.max(0, at - Date.now()));
  for (const player of players) askNext(player);
  await answered();
}

/** Every second player solves: from here on as many will claim as solve. */
async function halve(): Promise<void> {
  for (const [at, player] of players.entries()) if (at % 2 === 0 && player.card) askNext(player);
  await answered();
}

async function steady(perSecond: number, seconds: number, seed: number): Promise<void> {
  const rng = seededRng(seed);
  const startedAt = performance.now();
  const gap = (): number => (-Math.log(1 - rng.next()) * 1000) / perSecond;
  let due = startedAt + gap();
  for (let now = startedAt; now - startedAt < seconds * 1000; now = performance.now()) {
    for (; due <= now; due += gap()) {
      const idle = idleFrom(Math.floor(rng.next() * players.length));
      if (idle === undefined) {
        failed("everybody was waiting");
        continue;
      }
      times.lag.push(performance.now() - due);
      askNext(idle);
    }
    await pause(TICK_MS);
  }
  await answered();
}

/** The first player from there on who waits for nothing. Nobody is, when the stream is more than the server takes. */
function idleFrom(from: number): Player | undefined {
  for (let step = 0; step < players.length; step++) {
    const player = players[(from + step) % players.length]!;
    if (isIdle(player)) return player;
  }
  return undefined;
}

async function flood(seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  onAnswer = (player) => {
    const at = Math.max(performance.now(), player.askedAt + BETWEEN_REQUESTS_MS);
    if (at >= end || !isIdle(player)) return;
    setTimeout(() => isIdle(player) && askNext(player), Math.max(0, at - performance.now()));
  };
  for (const player of players) askNext(player);
  await pause(seconds * 1000);
  await answered();
}

/** Resolves once nobody waits for an answer or a clue. */
async function answered(): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!players.every(isIdle)) {
    if (performance.now() > end) return failed("never answered");
    await pause(TICK_MS);
  }
}

async function awaitSolving(): Promise<void> {
  while (solving.size < players.length) await pause(TICK_MS);
}

async function leave(): Promise<void> {
  isLeaving = true;
  await Promise.all(players.splice(0).map((player) => player.leave()));
  solving.clear();
  isLeaving = false;
}

async function follow(order: PlayersOrder): Promise<void> {
  switch (order.order) {
    case "join":
      return join(order.target, order.tokens);
    case "awaitSolving":
      return awaitSolving();
    case "burst":
      return burst(order.at);
    case "halve":
      return halve();
    case "steady":
      return steady(order.perSecond, order.seconds, order.seed);
    case "flood":
      return flood(order.seconds);
    case "leave":
      return leave();
  }
}

process.on("message", async ({ id, order }: { id: number; order: PlayersOrder }) => {
  forgetTimes();
  onAnswer = () => {};
  const usedBefore = process.cpuUsage();
  const startedAt = order.order === "burst" ? order.at : Date.now();
  await follow(order);
  const used = process.cpuUsage(usedBefore);
  const report: PlayersReport = {
    claim: Float64Array.from(times.claim),
    solve: Float64Array.from(times.solve),
    clue: Float64Array.from(times.clue),
    lag: Float64Array.from(times.lag),
    seconds: (Date.now() - startedAt) / 1000,
    cpuSeconds: (used.user + used.system) / 1e6,
    errors,
    clues,
  };
  process.send!({ id, report });
});
// The bench is gone: so is the reason to be here.
process.on("disconnect", () => process.exit());
