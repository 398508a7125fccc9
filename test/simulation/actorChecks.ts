import type { Database } from "../../src/entities/sql.ts";
import type { Call } from "./actorBots.ts";
import type { News, TallyState } from "./TallyActor.ts";

/** What the database holds of the bots' actors. */
export interface Stored {
  states: Map<string, TallyState>;
  /** Rows of `effects` that an actor wrote under a name: their numbers. */
  effects: Map<string, number[]>;
  /** The number that a timer's next firing carries, by actor and timer. */
  nextSeq: Map<string, number>;
}

/** Compares what callers were told with what took effect, and with what it set off. */
export function actorViolations(stored: Stored, calls: readonly Call[], news: readonly News[]): string[] {
  return [
    ...calls.flatMap((call) => callViolations(call, stored, news)),
    ...orderViolations(stored, news),
    ...timerViolations(stored),
  ];
}

export async function storedOf(database: Database): Promise<Stored> {
  const rows = await database.query<{ id: string; state: string; timers: string }>(
    "SELECT id, state, timers FROM actors WHERE kind = 'tally' ORDER BY id",
  );
  const effects = await database.query<{ actor: string; name: string; seq: number }>(
    "SELECT actor, name, seq FROM effects ORDER BY actor, name, seq",
  );
  const byName = Map.groupBy(effects, ({ actor, name }) => `${actor} ${name}`);
  const timers = rows.flatMap(({ id, timers }) =>
    (JSON.parse(timers) as { name: string; seq: number }[]).map(({ name, seq }) => [`${id} ${name}`, seq] as const),
  );
  return {
    states: new Map(rows.map(({ id, state }) => [id, JSON.parse(state) as TallyState])),
    effects: new Map([...byName].map(([key, found]) => [key, found.map(({ seq }) => Number(seq))])),
    nextSeq: new Map(timers),
  };
}

/** Acknowledged: once. Refused: never. Unknown: once at most. What it told and published goes with it. */
function callViolations({ name, actor, method, outcome }: Call, stored: Stored, news: readonly News[]): string[] {
  if (method === "startTicking" || method === "count") return [];
  const timesOf = (state: TallyState | undefined, text: string): number =>
    (state?.done ?? []).filter((done) => done === text).length;
  const times = timesOf(stored.states.get(actor), name);
  const call = `${method} ${name} on ${actor}, ${outcome ?? "whose caller died"}`;
  const isRight = outcome === "answered" ? times === 1 : times === 0 || (times === 1 && outcome !== "nothing happened");
  const found = isRight ? [] : [`${call}, took effect ${times} times`];
  const expect = (what: string, n: number): void => {
    if (n !== times) found.push(`${call}, took effect ${times} times, and ${what} ${n} times`);
  };
  if (method === "write") expect("wrote its row", stored.effects.get(`${actor} ${name}`)?.length ?? 0);
  if (method === "announce") expect("was announced", news.filter((event) => event.name === name).length);
  if (method === "pass")
    expect(
      "was heard",
      [...stored.states.values()].reduce((sum, state) => sum + timesOf(state, `heard ${name}`), 0),
    );
  return found;
}

/** Tells and events of one actor come in the order in which it sent them, each once. */
function orderViolations({ states }: Stored, news: readonly News[]): string[] {
  const found: string[] = [];
  const expect = (what: string, numbers: readonly number[], sent: number): void => {
    if (!isWhole(numbers, sent)) found.push(`${what}: ${sent} were sent, and came as ${numbers}`);
  };
  for (const [id, { sent, said }] of states) {
    for (const [to, n] of Object.entries(sent))
      expect(`messages of ${id} to ${to}`, states.get(to)?.heard[id] ?? [], n);
    const told = news.filter(({ from }) => from === id).map(({ n }) => n);
    expect(`events of ${id}`, told, said);
  }
  return found;
}

/** Each firing took effect once, and none is missing. */
function timerViolations({ effects, nextSeq }: Stored): string[] {
  return [...nextSeq].flatMap(([timer, next]) => {
    const fired = effects.get(timer) ?? [];
    return isWhole(fired, next - 1) ? [] : [`firings of ${timer} before ${next}: ${fired}`];
  });
}

/** Whether these are 1, 2, … up to `last`. */
function isWhole(numbers: readonly number[], last: number): boolean {
  return numbers.length === last && numbers.every((n, at) => n === at + 1);
}
