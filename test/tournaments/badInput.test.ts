import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { documentedErrors } from "../docs/documents.ts";
import { Mangler, NAMES, OUR_FAULT, VALUES } from "../support/mangling.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { someTournament } from "./someTournament.ts";

const DOCUMENTED = documentedErrors();

/** `SEED=<seed> npx mocha test/tournaments/badInput.test.ts` sends the same again. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const REQUESTS = 3000;
const AT_ONCE = 20;

const mangler = new Mangler(SEED);
const pick = <T>(items: readonly T[]): T => mangler.pick(items);

interface Sent {
  method: "GET" | "POST";
  path: string;
  body?: string;
}

describe("bad input at the endpoints of tournaments and games", function () {
  this.timeout(120_000);
  let directory: string;
  let node: RingmasterNode;
  let operator: string;
  let id: string;

  before(async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
    directory = temporaryDirectory("tournament-input");
    operator = await tokenOf("operator");
    node = await RingmasterNode.start({
      DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`,
      RATE_LIMIT_PER_ADDRESS: "1000000",
    });
    const body = someTournament({ prizes: [] });
    id = (await node.post<{ id: string }>("/api/tournaments", { token: operator, body })).body.id;
  });

  after(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  const texts = VALUES.filter(
    (value) => typeof value === "number" || (typeof value === "string" && value.isWellFormed()),
  );
  const junk = (): string => encodeURIComponent(String(pick(texts)));

  /** What no endpoint can make anything of, or only what a good request would also have brought about. */
  const storms: (() => Sent)[] = [
    () => {
      const definition = { ...someTournament(), series: { cron: "0 12 * * *", timezone: "UTC" } };
      return { method: "POST", path: "/api/tournaments", body: JSON.stringify(mangler.mangled(definition)) ?? "" };
    },
    () => {
      const range = { from: 1, to: 1, items: pick([[{ item: "TICO", amount: pick(VALUES) }], pick(VALUES)]) };
      const prizes = [pick<unknown>([mangler.mangled(range), range, pick(VALUES)])];
      return { method: "POST", path: "/api/tournaments", body: JSON.stringify(someTournament({ prizes } as never)) };
    },
    () => {
      const cron = pick(["* * * * * * *", "61 * * * *", "@never", "", "0 0 31 2 *", "x".repeat(129), junk()]);
      const timezone = pick(["UTC", "Mars/Olympus", "", "x".repeat(65)]);
      const series = pick<object>([{ cron, timezone: "Mars/Olympus" }, { cron: pick(VALUES) }, { cron, timezone }]);
      return { method: "POST", path: "/api/tournaments", body: JSON.stringify(someTournament({ series } as never)) };
    },
    () => {
      const game = { id: "golf", name: "Golf", minScore: 0, maxScore: 1, submissionsPerMinute: 1 };
      return { method: "POST", path: "/api/games", body: JSON.stringify(mangler.mangled(game)) ?? "" };
    },
    () => {
      const action = pick(["start", "extend", "preview", "endSeries", "explode", ...NAMES]);
      const body = JSON.stringify(pick<unknown>([{ ms: pick(VALUES) }, { now: true }, pick(VALUES)])) ?? "";
      return { method: "POST", path: `/api/tournaments/${pick([id, "none", junk()])}/${action}`, body };
    },
    () => {
      const name = pick(["limit", "offset", "around", ...NAMES]);
      const query = pick([`${name}=${junk()}`, `${name}=1&${name}=2`, `${name}[]=1`, `${name}[a]=1`, "limit=1e99"]);
      return { method: "GET", path: `/api/tournaments/${pick([id, "none", junk()])}/standings?${query}` };
    },
    () => ({ method: "GET", path: `/api/tournaments/${pick([junk(), ...NAMES, "a/b", "a%2Fb", "%00"])}` }),
  ];

  async function check({ method, path, body }: Sent): Promise<ErrorCode | "accepted"> {
    const response = await fetch(`${node.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${operator}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const told = `${method} ${path} ${body?.slice(0, 300)} → ${response.status} ${text.slice(0, 300)}`;
    const { error } = JSON.parse(text) as { error?: { code: ErrorCode; message: string } };
    if (error === undefined) {
      assert.ok(response.ok, told);
      return "accepted";
    }
    assert.ok(DOCUMENTED.has(error.code) && !OUR_FAULT.has(error.code), told);
    assert.equal(response.status, DOCUMENTED.get(error.code), told);
    assert.ok(error.message !== "" && text.length < 10_000, told);
    return error.code;
  }

  it(`is answered with a typed error, ${REQUESTS} times, and none of it is our fault`, async () => {
    const codes = new Map<string, number>();
    const atStart = node.output.length;
    let sent = 0;
    const sender = async (): Promise<void> => {
      while (sent < REQUESTS) {
        const code = await check(storms[sent++ % storms.length]!());
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sender));
    assert.ok((codes.get("invalid_payload") ?? 0) > REQUESTS / 3, JSON.stringify([...codes]));
    assert.ok((codes.get("not_found") ?? 0) > REQUESTS / 10, JSON.stringify([...codes]));
    const faults = node.output.slice(atStart).filter((line) => /"level":"(warn|error|fatal)"/.test(line));
    assert.deepEqual(faults, []);
    assert.equal((await node.get("/readyz")).status, 200);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });
});
