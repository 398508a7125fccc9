import assert from "node:assert/strict";
import type { FieldComplaint } from "../../src/validate.ts";
import { aHunt, bearer, Edge } from "./edge.ts";

const TOURNAMENT = { name: "Cup", game: "snake", startsAt: 1_800_000_000_000, endsAt: 1_800_000_060_000 };
const GAME = { id: "golf", name: "Golf", minScore: 0, maxScore: 1, submissionsPerMinute: 1 };
const GAMES_ID = "must be a game's id: 1 to 32 of a-z, 0-9 and _, and a letter first";
const ITEMS_ID = "must be an item's id: 1 to 32 of A-Z, 0-9 and _, and a letter first";
const PLAYERS_ID = "must be a player's id: 1 to 32 of a-z, A-Z, 0-9, _ and -";
const AMOUNT = "must be a whole number of minor units from 1 to 1000000000000000, as a string without leading zeros";
const TIME = "must be epoch milliseconds: a whole number from 0 to 4102444800000";
const ZONE = "must be the IANA name of a time zone, such as Europe/Berlin";
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

  const prizes = (amount: unknown, item = "TICO") => [{ from: 1, to: 1, items: [{ item, amount }] }];
  const amountAt = "prizes.0.items.0.amount";

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
    [
      "which part of a series is no time zone",
      "tournaments",
      { ...TOURNAMENT, series: { cron: "@daily", timezone: "Mars/X" } },
      { "series.timezone": ZONE },
    ],
    [
      "pattern and zone, when neither is one",
      "tournaments",
      { ...TOURNAMENT, series: { cron: "", timezone: "" } },
      { "series.cron": "Too small: expected string to have >=1 characters", "series.timezone": ZONE },
    ],
    ...["0", "10000000000000000", "1000000000000001", "-1", "01", "1.5", "", "many", 5].map(
      (amount): [string, string, object, Complaints] => [
        `the bounds of an amount, of ${JSON.stringify(amount)}`,
        "tournaments",
        { ...TOURNAMENT, prizes: prizes(amount) },
        { [amountAt]: AMOUNT },
      ],
    ),
    ["the bounds of a contribution", "pools/snake/daily/contribute", { item: "TICO", amount: "0" }, { amount: AMOUNT }],
    ["what an item's id is", "pools/snake/daily/contribute", { item: "tico", amount: "1" }, { item: ITEMS_ID }],
    ["what a tournament's game is", "tournaments", { ...TOURNAMENT, game: "SNAKE" }, { game: GAMES_ID }],
    ["what a game's id is", "games", { ...GAME, id: "9x" }, { id: GAMES_ID }],
  ];
  for (const [what, path, body, expected] of bodies)
    it(`is ${what}`, async () => assert.deepEqual(await told(`/api/${path}`, body), expected));

  const whole = (from: number, to: number): string => `must be a whole number from ${from} to ${to}`;

  const queries: [query: string, expected: Complaints][] = [
    ["tournaments/cup/standings?limit=abc&offset=-1", { limit: whole(1, 1000), offset: whole(0, 5_000_000) }],
    ["tournaments/cup/standings?limit=1.5&around=a%20b", { limit: whole(1, 1000), around: PLAYERS_ID }],
    ["tournaments/cup/standings?limit=1e99", { limit: whole(1, 1000) }],
    ["tournaments/cup/standings?limit=1&limit=2", { limit: whole(1, 1000) }],
    ["tournaments/cup/standings?foo=1&bar=2", { foo: UNKNOWN, bar: UNKNOWN }],
    ["pools/snake/daily?limit=101", { limit: whole(1, 100) }],
    ["rankings/snake/daily?at=yesterday", { at: TIME }],
    [
      "rankings/snake/daily?limit=0&offset=x&around=",
      { limit: whole(1, 1000), offset: whole(0, 100_000_000), around: PLAYERS_ID },
    ],
    ["draws?limit=abc", { limit: whole(1, 100) }],
    ["draws/1?limit=Infinity", { limit: whole(1, 1000) }],
    ["jobs/history?limit=abc", { limit: whole(1, 200) }],
  ];
  for (const [query, expected] of queries)
    it(`is what may be asked for, by ${query}`, async () => assert.deepEqual(await told(`/api/${query}`), expected));
});
