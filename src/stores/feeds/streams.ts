import type { FeedEvent } from "./Feed.ts";

/** All keys of the feeds share this hash tag: one script spans many topics, so they must live in one slot. */
const TAG = "{feed}";
const TOPIC = `${TAG}:topic:`;

/** A topic's stream, and the channel on which its events are published. */
export const streamKey = (topic: string): string => `${TOPIC}${topic}`;
export const topicOf = (channel: string): string => channel.slice(TOPIC.length);
export const markKey = (eventKey: string): string => `${TAG}:seen:${eventKey}`;
/** Where the last event of a sender stands that counts them. */
export const senderKey = (sender: string): string => `${TAG}:sender:${sender}`;
export const GENERATION_KEY = `${TAG}:generation`;

/** Before every entry of any stream: the position of a reader of a topic that is empty. */
export const BEGINNING = "0-0";

/** One entry as Redis answers it: `[id, [field, value, …]]`. */
export type StreamEntry = [id: string, fields: string[]];

/**
 * A position in a topic: the id of its stream's entry, and the generation in which a reader saw it there. Ids alone are no evidence: a
 * Redis that came back older than it was gives new events ids that lie beyond, or even are, those of lost ones.
 */
export interface Position {
  generation: string;
  id: string;
}

/** As clients keep it: `<milliseconds>-<number>.<generation>`. */
export const cursorOf = ({ generation, id }: Position): string => `${id}.${generation}`;

/** The position that a cursor names. `undefined`: it is none of ours (it may come from anywhere), or has no generation. */
export function positionOf(cursor: string): Position | undefined {
  const parts = /^(\d{1,20}-\d{1,20})\.(\w{1,32})$/.exec(cursor);
  if (parts === null || parts[1] === BEGINNING || !isStreamId(parts[1]!)) return undefined;
  return { id: parts[1]!, generation: parts[2]! };
}

/** The event of an entry that `append.lua` wrote, as seen in this generation. */
export function eventOf(topic: string, [id, fields]: StreamEntry, generation: string): FeedEvent {
  const values = fieldsOf(fields);
  return {
    id: cursorOf({ generation, id }),
    topic,
    at: Number(values.at),
    type: values.type ?? "",
    data: JSON.parse(values.data ?? "null"),
  };
}

/** In which generation an entry was appended. */
export const generationOf = ([, fields]: StreamEntry): string | undefined => fieldsOf(fields).g;

function fieldsOf(fields: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (let i = 0; i + 1 < fields.length; i += 2) values[fields[i]!] = fields[i + 1]!;
  return values;
}

/** What is published of an event. */
export interface Published {
  position: Position;
  /** The id of the entry before it in its topic's stream. */
  previous: string;
  event: FeedEvent;
}

export function parsePublished(topic: string, message: string): Published {
  const [generation, previous, id, at, type, data] = message.split("\n") as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const position = { generation, id };
  const event = { id: cursorOf(position), topic, at: Number(at), type: JSON.parse(type), data: JSON.parse(data) };
  return { position, previous, event };
}

/** Whether Redis would take this for a stream id. */
function isStreamId(text: string): boolean {
  return text.split("-").every((part) => BigInt(part) < 2n ** 64n);
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
