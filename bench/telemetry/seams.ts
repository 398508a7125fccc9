import { InMemorySpanExporter } from "@opentelemetry/sdk-trace";
import { seededRng } from "../../src/clock.ts";
import { openTracing } from "../../src/telemetry/tracing/openTracing.ts";
import {
  type Captured,
  captured,
  detached,
  inBatch,
  inRoot,
  inSpan,
  openSpan,
  type SpanStart,
} from "../../src/tracing.ts";

/** Claims that one batch decides, and one transaction commits. */
const BATCH = 32;

const named = (name: string) => (): SpanStart => ({ name, kind: "SERVER" });
const [ROOM, DECIDE, SCRIPT, COMMIT, TRANSACTION] = ["room", "batch", "script", "group commit", "SQL"].map(named) as [
  () => SpanStart,
  () => SpanStart,
  () => SpanStart,
  () => SpanStart,
  () => SpanStart,
];

/** What the claims of one batch do, each time with the seams of a claim or without them. */
type Round = () => Promise<unknown>;

const work = async (): Promise<void> => {};

/** The steps of claims as a node takes them, and nothing else. */
const bare: Round = async () => {
  const waiting = Array.from({ length: BATCH }, async () => {
    await work();
    await work();
  });
  await work();
  await work();
  return Promise.all(waiting);
};

/** The same with the seams that a claim passes: `RoomRequests`, `Coalescer`, `LuaScript`, `GroupCommit`, `TracedDatabase`. */
const seamed: Round = async () => {
  const asked: { trace: Captured | undefined }[] = [];
  const rows: { trace: Captured | undefined }[] = [];
  const waiting = Array.from({ length: BATCH }, () =>
    inRoot(ROOM, async () => {
      asked.push({ trace: captured() });
      await work();
      rows.push({ trace: captured() });
      await work();
    }),
  );
  detached(() => {});
  await inBatch(DECIDE, asked, () => inSpan(SCRIPT, work));
  await inBatch(COMMIT, rows, async () => {
    openSpan(TRANSACTION)?.end();
    await work();
  });
  return Promise.all(waiting);
};

/** Microseconds of CPU that a claim's steps take, the least of some rounds: what else the machine does only adds to it. */
async function microsOf(round: Round, claims: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < 7; at++) {
    const before = process.cpuUsage();
    for (let done = 0; done < claims; done += BATCH) await round();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / claims);
  }
  return least;
}

export interface SeamCosts {
  /** Without a tracer. */
  off: number;
  /** By the part of traces that is recorded. */
  on: { ratio: number; micros: number }[];
}

/** What traces cost a claim, in microseconds of CPU. */
export async function measureSeams(claims: number, ratios: readonly number[]): Promise<SeamCosts> {
  // Both are compiled before they are measured.
  for (const round of [bare, seamed]) await microsOf(round, claims / 4);
  const without = await microsOf(bare, claims);
  const off = (await microsOf(seamed, claims)) - without;
  const on: SeamCosts["on"] = [];
  for (const ratio of ratios) {
    const exporter = new InMemorySpanExporter();
    exporter.export = (_, done) => done({ code: 0 });
    const place = { service: "bench", instance: "1" };
    const tracing = openTracing({
      to: exporter,
      ratio,
      place,
      rng: seededRng(8),
      count: () => {},
      onFailure: () => {},
    });
    on.push({ ratio, micros: (await microsOf(seamed, claims)) - without });
    await tracing.close();
  }
  return { off, on };
}
