import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CallRecord } from "./nodeProtocol.ts";

/** A fault, from its beginning to the moment at which all was well again. Times are epoch milliseconds. */
export interface Struck {
  fault: string;
  /** What it did, in words. */
  detail: string;
  beganAt: number;
  endedAt: number;
  /** From its end until every node said that it was ready, in milliseconds; undefined when that took too long. */
  readyMs: number | undefined;
  /** From its end until all was well, in milliseconds; undefined when that took too long. */
  recoveredMs: number | undefined;
  /** What was not well last. */
  troubles: string[];
}

/** Everything that happened in a chaos run: kept, and written as lines of JSON to `history.jsonl`. */
export class History {
  readonly calls: CallRecord[] = [];
  readonly struck: Struck[] = [];
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  called(record: CallRecord): void {
    this.calls.push(record);
    this.#write({ call: record });
  }

  strike(struck: Struck): void {
    this.struck.push(struck);
    this.#write({ struck });
  }

  /** Something else that a reader may want to know. */
  note(what: string, data: object = {}): void {
    this.#write({ at: Date.now(), note: what, ...data });
  }

  #write(line: object): void {
    appendFileSync(join(this.directory, "history.jsonl"), `${JSON.stringify(line)}\n`);
  }
}
