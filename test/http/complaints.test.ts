import assert from "node:assert/strict";
import type { FieldComplaint } from "../../src/validate.ts";
import { aHunt, bearer, Edge } from "./edge.ts";

const TOURNAMENT = { name: "Cup", game: "snake", startsAt: 1_800_000_000_000, endsAt: 1_800_000_060_000 };
const TIME = "must be epoch milliseconds: a whole number from 0 to 4102444800000";
const UNKNOWN = "is no field that is known here";

/** The path is that of a bad field, by which its sender finds it; the message says what is wanted there. */
type Complaints = Record<string, string>;

describe("What a bad request is told", () => {
  let edge: Edge;
  let operator: Record<string, string>;

  before(async () => {
    edge = await Edge.open();
    operator = bearer(await edge.token("operator"));
  });
  after(() => edge.close());

  async function told(path: string, body?: object): Promise<Complaints> {
    const answer = await (body === undefined ? edge.get(path, operator) : edge.post(path, body, operator));
    assert.deepEqual([answer.status, answer.error?.code], [400, "invalid_payload"], path);
    const details = answer.error!.details as FieldComplaint[];
    assert.equal(answer.error!.message, `${details[0]!.path}: ${details[0]!.message}`);
    const complaints = Object.fromEntries(details.map(({ path: field, message }) => [field, message]));
    assert.equal(details.length, Object.keys(complaints).length, "one complaint a field");
    return complaints;
  }

  const bodies: [what: string, path: string, body: object, expected: Complaints][] = [
    [
      "each unknown field, by its own path",
      "tournaments",
      { ...TOURNAMENT, foo: 1, series: { cron: "@daily", zone: "UTC" } },
      { "series.zone": UNKNOWN, foo: UNKNOWN },
    ],
    [
      "an unknown field of a part of a list",
      "hunts",
      { ...aHunt(), clues: [{ ...aHunt().clues[0], colour: "red" }] },
      { "clues.0.colour": UNKNOWN },
    ],
    ["an unknown field of an action", "tournaments/cup/start", { now: true }, { now: UNKNOWN }],
  ];
  for (const [what, path, body, expected] of bodies)
    it(`is ${what}`, async () => assert.deepEqual(await told(`/api/${path}`, body), expected));

  const whole = (from: number, to: number): string => `must be a whole number from ${from} to ${to}`;

  const queries: [query: string, expected: Complaints][] = [
    ["tournaments/cup/standings?limit=abc&offset=-1", { limit: whole(1, 1000), offset: whole(0, 5_000_000) }],
    ["tournaments/cup/standings?limit=1.5", { limit: whole(1, 1000) }],
    ["tournaments/cup/standings?limit=1e99", { limit: whole(1, 1000) }],
    ["tournaments/cup/standings?limit=1&limit=2", { limit: whole(1, 1000) }],
    ["tournaments/cup/standings?foo=1&bar=2", { foo: UNKNOWN, bar: UNKNOWN }],
    ["pools/snake/daily?limit=101", { limit: whole(1, 100) }],
    ["rankings/snake/daily?at=yesterday", { at: TIME }],
    ["rankings/snake/daily?limit=0&offset=x", { limit: whole(1, 1000), offset: whole(0, 100_000_000) }],
    ["draws?limit=abc", { limit: whole(1, 100) }],
    ["draws/1?limit=Infinity", { limit: whole(1, 1000) }],
    ["jobs/history?limit=abc", { limit: whole(1, 200) }],
  ];
  for (const [query, expected] of queries)
    it(`is what may be asked for, by ${query}`, async () => assert.deepEqual(await told(`/api/${query}`), expected));
});
