import assert from "node:assert/strict";
import { RingmasterError } from "../../src/errors.ts";
import { refusal } from "../../src/rooms/runtime/refusal.ts";
import { colyseusLog } from "../../src/telemetry/colyseusLog.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { ManualClock } from "../actors/simulation.ts";

describe("what Colyseus logs", () => {
  let clock: ManualClock;
  let entries: { level: string; msg: string; part: string; repeated?: number }[];
  let colyseus: ReturnType<typeof colyseusLog>;

  beforeEach(() => {
    clock = new ManualClock();
    entries = [];
    const write = (line: string): void => void entries.push(JSON.parse(line));
    colyseus = colyseusLog(createLogger("debug", { write }), clock);
  });

  const tooLarge = "Max payload size exceeded\nRangeError: Max payload size exceeded\n    at Receiver.haveLength";

  it("is one line without its stack, and a warning at most", () => {
    colyseus.error(tooLarge);
    colyseus.info("listening");
    colyseus.debug("a detail");
    assert.deepEqual(
      entries.map(({ level, msg, part }) => [level, msg, part]),
      [
        ["warn", "Max payload size exceeded", "colyseus"],
        ["info", "listening", "colyseus"],
        ["debug", "a detail", "colyseus"],
      ],
    );
  });

  it("is a detail where a room has refused by one of our codes, which its client is told", () => {
    const stack = "\n    at HuntRoom.onCreate";
    colyseus.error(`${refusal(new RingmasterError("draining")).stack}`);
    colyseus.error(`RingmasterError: internal: It broke.${stack}`);
    colyseus.error(`RingmasterError: toString: It broke.${stack}`);
    assert.deepEqual(
      entries.map(({ level }) => level),
      ["debug", "warn", "warn"],
    );
  });

  it("is written once a minute for each cause, and says how often it was not", async () => {
    for (let frame = 0; frame < 1000; frame++) colyseus.error(tooLarge);
    colyseus.warn("something else");
    assert.equal(entries.length, 2);
    await clock.advance(60_000);
    colyseus.error(tooLarge);
    colyseus.error(tooLarge);
    assert.deepEqual(
      entries.map(({ msg, repeated }) => [msg, repeated]),
      [
        ["Max payload size exceeded", undefined],
        ["something else", undefined],
        ["Max payload size exceeded", 999],
      ],
    );
  });

  it("takes rooms, sessions and what clients sent for no causes of their own", () => {
    for (let n = 0; n < 100; n++)
      colyseus.error(
        `hunt (roomId: ${String.fromCharCode(97 + (n % 26))}Xy${n}), couldn't decode message: ${"é".repeat(n)}`,
      );
    assert.equal(entries.length, 1);
  });

  it("stays within its bound whatever is written, and comes back to telling causes apart", async () => {
    const word = (n: number): string => String.fromCharCode(97 + (n % 26), 97 + Math.floor(n / 26));
    for (let n = 0; n < 600; n++) colyseus.error(word(n));
    assert.equal(entries.length, 21);
    await clock.advance(60_000);
    colyseus.error("one more");
    assert.equal(entries.at(-1)?.msg, "one more");
  });
});
