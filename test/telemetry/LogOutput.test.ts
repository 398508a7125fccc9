import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { LogOutput } from "../../src/telemetry/LogOutput.ts";

/** A reader that stands still until it is told to read. */
class SlowReader extends Writable {
  readonly lines: string[] = [];
  #reads = false;
  #waiting: ((error?: Error) => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.lines.push(chunk.toString());
    if (this.#reads) done();
    else this.#waiting = done;
  }

  async readAll(): Promise<void> {
    this.#reads = true;
    this.#waiting?.();
    await new Promise(setImmediate);
  }

  leave(): void {
    this.#waiting?.(Object.assign(new Error("broken pipe"), { code: "EPIPE" }));
  }
}

describe("the log's output", () => {
  let reader: SlowReader;
  let output: LogOutput;

  beforeEach(() => {
    reader = new SlowReader();
    output = new LogOutput(reader, 100);
  });

  it("leaves out what a slow reader has no room for, keeps the order, and tells how much it was", async () => {
    for (let line = 0; line < 20; line++) output.write(`line ${line} of ten more\n`);
    assert.ok(reader.writableLength < 150, `${reader.writableLength} bytes wait`);
    await reader.readAll();
    output.write("again\n");
    await reader.readAll();
    const [told, last] = reader.lines.slice(-2);
    assert.equal(last, "again\n");
    const { level, leftOut } = JSON.parse(told!) as { level: string; leftOut: number };
    assert.deepEqual([level, leftOut], ["warn", 20 - (reader.lines.length - 2)]);
  });

  it("goes on without a reader that is gone, and keeps nothing for it", async () => {
    output.write("one\n");
    output.write("two\n");
    reader.leave();
    await new Promise(setImmediate);
    for (let line = 0; line < 1000; line++) output.write("nobody reads this\n");
    assert.ok(reader.writableLength < 10);
    await output.flush(60_000);
  });

  it("is flushed once all is read, and does not wait for a reader that stands still", async () => {
    output.write("one\n");
    await output.flush(1);
    const flushed = output.flush(60_000);
    await reader.readAll();
    await flushed;
  });
});
