import assert from "node:assert/strict";
import { z } from "zod";
import { RINGMASTER } from "../../src/app.config.ts";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { type Domain, defineDomain } from "../../src/domains/runtime/Domain.ts";
import { declaredBy, requireWhole } from "../../src/domains/runtime/declared.ts";
import { openDatabase } from "../../src/entities/database.ts";
import { defineErrors } from "../../src/errors.ts";
import { byAge } from "../../src/schedulers/retention/purges.ts";
import { MIGRATIONS, SCHEMA } from "../support/database.ts";

const RAFFLE_ERRORS = defineErrors({ sold_out: { status: 409, message: "No ticket is left." } });
const A_PURGE = byAge({ name: "drawn", table: "raffles", key: ["id"], age: "drawn_at", days: 1 });

/** A domain of which only a part matters. */
function domain(name: string, part: Partial<Domain["definition"]> = {}): Domain {
  return defineDomain({ ...part, name } as Parameters<typeof defineDomain>[0]);
}

describe("the domains of an app", () => {
  it("are ordered by what they need, else as they are listed", () => {
    const ledger = domain("ledger");
    const raffles = domain("raffles", { needs: { ledger } });
    const fairs = domain("fairs", { needs: { raffles, ledger } });
    const { domains } = declaredBy([fairs, domain("alone"), raffles, ledger]);
    assert.deepEqual(
      domains.map(({ name }) => name),
      ["ledger", "raffles", "fairs", "alone"],
    );
  });

  it("keep an app from starting, with words, where one is missing", async () => {
    const missing = domain("raffles", { needs: { ledger: domain("ledger") } });
    await assert.rejects(createApp(readConfig({}), { domains: [missing] }), {
      message: "the domain raffles needs ledger, which is not listed",
    });
  });

  for (const left of RINGMASTER.domains) {
    it(`say so before anything starts, or do without, where ${left.name} is left out`, async () => {
      const gone = new Set<Domain>([left]);
      for (const each of declaredBy(RINGMASTER.domains).domains)
        if (Object.values(each.needs).some((needed) => gone.has(needed))) gone.add(each);
      let declared: ReturnType<typeof declaredBy>;
      try {
        declared = declaredBy(RINGMASTER.domains.filter((each) => !gone.has(each)));
        requireWhole(declared);
      } catch (error) {
        assert.match(String(error), /which is not listed|no listed domain/);
        return;
      }
      const { entities, migrations } = declared;
      await (await openDatabase({ kind: "sqlite", path: ":memory:" }, { entities, migrations })).close();
    });
  }

  it("need somebody who keeps players, and the tables of what every node has", () => {
    assert.throws(() => requireWhole(declaredBy([domain("actors", { runtime: "actors" })])), {
      message: "no listed domain has the tables of jobs (runtime)",
    });
    const [actors, jobs] = [domain("actors", { runtime: "actors" }), domain("jobs", { runtime: "jobs" })];
    assert.throws(() => requireWhole(declaredBy([actors, jobs])), {
      message: "no listed domain keeps those who sign in (signIn)",
    });
  });

  for (const [part, what] of [
    ["signIn", "keeps those who sign in"],
    ["activity", "notes who is active"],
  ] as const) {
    it(`keep an app from starting where another one ${what}`, () => {
      const another = domain("inventedbyatest", { [part]: () => ({}) as never });
      assert.throws(() => requireWhole(declaredBy([...RINGMASTER.domains, another])), {
        message: `more than one listed domain ${what} (${part})`,
      });
    });
  }

  it("are missed also where another one has the same name", () => {
    const missing = domain("raffles", { needs: { ledger: domain("ledger") } });
    assert.throws(() => declaredBy([missing, domain("ledger")]), {
      message: "the domain raffles needs ledger, which is not listed",
    });
  });

  it("keep it from starting where one is listed twice", async () => {
    const raffles = domain("raffles");
    for (const twice of [
      [raffles, raffles],
      [raffles, domain("raffles")],
    ]) {
      await assert.rejects(createApp(readConfig({}), { domains: twice }), {
        message: "the domain raffles is listed twice",
      });
    }
  });

  it("keep it from starting where they need each other in a circle", () => {
    const needs: Record<string, Domain> = {};
    const first = domain("first", { needs });
    const second = domain("second", { needs: { first } });
    needs.second = second;
    assert.throws(() => declaredBy([first, second]), {
      message: "domains need each other in a circle: first → second → first",
    });
  });

  it("keep it from starting where one needs a module that imports it in turn, and is not there yet", () => {
    const raffles = domain("raffles", { needs: { ledger: undefined as unknown as Domain } });
    assert.throws(() => declaredBy([raffles]), {
      message: "the domain raffles needs ledger, which imports it in turn",
    });
  });

  const claims: Array<[string, Partial<Domain["definition"]>]> = [
    ["the migration Raffles20270101000000", { migrations: [class Raffles20270101000000 {}] as never }],
    ["the kind of rows that retention removes drawn", { retention: [A_PURGE] }],
    ["the source of items raffle", { itemSources: ["raffle"] }],
    ["the room raffle", { rooms: { raffle: {} as never } }],
    ["the command draw", { commands: [{ name: "draw" }] as never }],
    ["the query tickets", { queries: [{ name: "tickets" }] as never }],
    ["the error code sold_out", { errors: RAFFLE_ERRORS }],
    ["the variable RAFFLE_TICKETS", { variables: { RAFFLE_TICKETS: z.string() } }],
    ["the event of the lobby rafflePhase", { lobby: { news: ["rafflePhase"] } as never }],
  ];
  for (const [what, part] of claims) {
    it(`keep it from starting where two have ${what}`, () => {
      assert.throws(() => declaredBy([domain("raffles", part), domain("fairs", part)]), {
        message: `${what} is named twice: by raffles and by fairs`,
      });
    });
  }

  it("keep it from starting where one lists an error code that nobody has defined", () => {
    const misspelt = domain("raffles", { errors: { sold_oot: "sold_oot" as never } });
    assert.throws(() => declaredBy([misspelt]), {
      message: "the error code sold_oot of the domain raffles is not defined (defineErrors)",
    });
  });

  for (const [variable, why] of [
    ["PORT", "every node has one of that name"],
    ["raffleTickets", "a name is [A-Z][A-Z0-9_]*"],
    ["ENABLE_RAFFLES_JOB", "names of that form are those of jobs"],
  ] as const) {
    it(`keep it from starting where one has the variable ${variable}`, () => {
      assert.throws(() => declaredBy([domain("raffles", { variables: { [variable]: z.string() } })]), {
        message: `the variable ${variable} of the domain raffles: ${why}`,
      });
    });
  }

  it("keep it from starting where the configuration was read without the variables of one", async () => {
    await assert.rejects(createApp(readConfig({}), RINGMASTER), {
      message: "the configuration was read without the variables of the domain sessions: readConfig(env, domains)",
    });
  });

  it("keep it from starting where two migrations have one date, whose order nobody could tell", () => {
    const first = domain("raffles", { migrations: [class Raffles20270101000000 {}] as never });
    const second = domain("fairs", { migrations: [class Fairs20270101000000 {}] as never });
    assert.throws(() => declaredBy([first, second]), {
      message: "the date of a migration 20270101000000 is named twice: by raffles and by fairs",
    });
  });

  it("keep it from starting where a migration has no date", () => {
    const undated = domain("raffles", { migrations: [class Raffles {}] as never });
    assert.throws(() => declaredBy([undated]), /the migration Raffles: its name ends with no date of 14 digits/);
  });

  it("keep it from starting where a source of items is longer than the ledger of prizes can tell", () => {
    assert.throws(() => declaredBy([domain("raffles", { itemSources: ["seventeen letters"] })]), {
      message: "the source of items seventeen letters is longer than 16 characters",
    });
  });

  it("have names that fit folders", () => {
    assert.throws(() => domain("Raffles"), { message: "the domain Raffles: a name is [a-z]+" });
  });
});

describe("Ringmaster's own domains", () => {
  const { domains, entities, migrations } = declaredBy(RINGMASTER.domains);

  it("list every migration that there is, in the order of their dates, whichever domain is listed first", () => {
    const names = (of: typeof migrations): string[] => of.map(({ name }) => name);
    assert.ok(MIGRATIONS.length > 30);
    assert.deepEqual(names(migrations), names(MIGRATIONS));
    assert.deepEqual(names(declaredBy(RINGMASTER.domains.toReversed()).migrations), names(MIGRATIONS));
  });

  it("list every mapped table that there is", () => {
    assert.deepEqual(new Set(entities), new Set(SCHEMA.entities));
  });

  it("stand behind what they need", () => {
    for (const [at, { needs }] of domains.entries())
      for (const needed of Object.values(needs)) assert.ok(domains.indexOf(needed) < at);
  });
});
