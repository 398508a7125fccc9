/**
 * Told to begin, floods a node as so many attackers, each from an address of its own, and writes down what it does; or does to a sink
 * what is written there. Told to end, it says how much that was.
 */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { attack, FLOODS, type Target } from "./floods.ts";
import { doneIn, Recorder, replay, type Trace } from "./traces.ts";

/** Where the trace is, and who is attacked: a node by a flood from addresses, or a sink. */
export type Orders = { trace: string } & (
  | { node: Target; flood: string; addresses: string[] }
  | { sink: { port: number } }
);

const orders = JSON.parse(process.argv[2]!) as Orders;
process.on("disconnect", () => process.exit());

let done: Trace;
if ("node" in orders) {
  await toBegin();
  const recorder = new Recorder();
  for (const address of orders.addresses) attack(FLOODS[orders.flood]!, { ...orders.node, address, recorder });
  done = recorder.trace;
} else {
  const trace = JSON.parse(readFileSync(orders.trace, "utf8")) as Trace;
  await toBegin();
  done = { addresses: [], deeds: [] };
  void replay(trace, orders.sink.port, done);
}
await once(process, "message");
if ("node" in orders) writeFileSync(orders.trace, JSON.stringify(done));
process.send!(doneIn(done));

async function toBegin(): Promise<void> {
  process.send!("ready");
  await once(process, "message");
}
