import type { FeedEvent } from "./Feed.ts";

/** All keys of the feeds share this hash tag: one blocking read spans every topic, so they must live in one slot. */
const TAG = "{feed}";

export const streamKey = (topic: string): string => `${TAG}:topic:${topic}`;
export const markKey = (eventKey: string): string => `${TAG}:seen:${eventKey}`;
export const wakeKey = (reader: string): string => `${TAG}:wake:${reader}`;
export const INCARNATION_KEY = `${TAG}:incarnation`;

/** Before every entry of any stream. */
export const BEGINNING = "0-0";

/** One entry as Redis answers it: `[id, [field, value, …]]`. */
export type StreamEntry = [id: string, fields: string[]];

/** The event of an entry that `append.lua` wrote. */
export function eventOf(topic: string, [id, fields]: StreamEntry): FeedEvent {
  const values: Record<string, string> = {};
  for (let i = 0; i + 1 < fields.length; i += 2) values[fields[i]!] = fields[i + 1]!;
  return { id, topic, at: Number(values.at), type: values.type ?? "", data: JSON.parse(values.data ?? "null") };
}

/** Whether Redis would take this for a stream id; anything else came from outside and is no cursor of ours. */
export function isStreamId(text: string): boolean {
  const parts = /^(\d{1,20})-(\d{1,20})$/.exec(text);
  return parts !== null && BigInt(parts[1]!) < 2n ** 64n && BigInt(parts[2]!) < 2n ** 64n;
}

/** Whether stream id `a` is newer than `b`. */
export function isAfter(a: string, b: string): boolean {
  const [aTime, aSequence] = split(a);
  const [bTime, bSequence] = split(b);
  return aTime > bTime || (aTime === bTime && aSequence > bSequence);
}

function split(id: string): [time: number, sequence: number] {
  const dash = id.indexOf("-");
  return [Number(id.slice(0, dash)), Number(id.slice(dash + 1))];
}
