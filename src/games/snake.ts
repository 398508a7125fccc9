/**
 * The rules of Snake, without a clock, a canvas or chance: a round follows from its seed and the turns taken. The parade crosses
 * the ring cell by cell; a star makes it longer, a coin does not; the round ends at the kerb, at its own body, or when the band
 * has played its tune. The tune is what makes a fast player and one who goes at their own pace comparable.
 */

/** Cells along each side of the ring. */
export const SIDE = 17;
/** Steps of one tune: about a minute at the pace that the parade keeps by itself. */
export const TUNE_STEPS = 450;
export const STAR_POINTS = 10;
export const COIN_POINTS = 30;
/** A coin rolls in with every so many stars … */
const STARS_A_COIN = 5;
/** … and out again after so many steps: enough to reach it from anywhere, with few to lose. */
const COIN_STEPS = 35;
const FIRST_LENGTH = 4;
/** Turns kept for the steps to come: two make a U-turn in one gesture. */
const TURNS_AHEAD = 2;

const FIRST_STEP_MS = 165;
const FASTER_BY_MS = 3;
const FASTEST_STEP_MS = 85;

export type Heading = "up" | "right" | "down" | "left";

/** Counted from the upper left corner. */
export interface Cell {
  x: number;
  y: number;
}

export interface Snake {
  /** From the head to the tail. */
  cells: readonly Cell[];
  /** Where the tail was before the last step. */
  vacated: Cell;
  heading: Heading;
  /** Turns to take with the steps to come, one each. */
  turns: readonly Heading[];
  star: Cell;
  /** `leaves` is the step with which it is gone. */
  coin?: { at: Cell; leaves: number } | undefined;
  /** The last thing picked up, and with which step. */
  picked?: { at: Cell; points: number; step: number };
  stars: number;
  score: number;
  /** Steps taken. */
  step: number;
  /** What the next throw of the dice depends on. */
  seed: number;
  /** Why the round is over, if it is. */
  end?: End;
}

/** `bell`: it was ended from outside, with the score that it had. */
export type End = "kerb" | "tail" | "tune" | "bell";

const MOVES: Record<Heading, Cell> = {
  up: { x: 0, y: -1 },
  right: { x: 1, y: 0 },
  down: { x: 0, y: 1 },
  left: { x: -1, y: 0 },
};

/** A parade in the middle of the ring, heading right. `seed` is any whole number. */
export function begin(seed: number): Snake {
  const middle = Math.floor(SIDE / 2);
  const cells = Array.from({ length: FIRST_LENGTH }, (_, back) => ({ x: middle - back, y: middle }));
  const vacated = { x: middle - FIRST_LENGTH, y: middle };
  const star = freeCell(cells, seed);
  const still = { vacated, heading: "right", turns: [], stars: 0, score: 0, step: 0 } as const;
  return { ...still, cells, star: star.cell, seed: star.seed };
}

/** Takes a turn with the next step that is free for one; a turn back, or into the same direction, is none. */
export function turn(snake: Snake, heading: Heading): Snake {
  const before = snake.turns.at(-1) ?? snake.heading;
  const along = MOVES[before].x === 0 ? MOVES[heading].x === 0 : MOVES[heading].y === 0;
  if (along || snake.end || snake.turns.length >= TURNS_AHEAD) return snake;
  return { ...snake, turns: [...snake.turns, heading] };
}

/** The parade one step later; a round that is over stays as it is. */
export function step(snake: Snake): Snake {
  if (snake.end) return snake;
  const [heading = snake.heading, ...turns] = snake.turns;
  const moved: Snake = { ...snake, heading, turns, step: snake.step + 1 };
  const head = ahead(moved);
  const end = obstacle(moved, head);
  if (end) return { ...moved, end };
  const eats = isSame(head, snake.star);
  const cells = [head, ...(eats ? snake.cells : snake.cells.slice(0, -1))];
  const after = settle({ ...moved, cells, vacated: snake.cells.at(-1)! }, eats);
  return after.step >= TUNE_STEPS ? { ...after, end: "tune" } : after;
}

/** Steps as they are written down: a letter each, of the heading that was taken. */
const LETTERS: Record<Heading, string> = { up: "u", right: "r", down: "d", left: "l" };
const HEADINGS = new Map(Object.entries(LETTERS).map(([heading, letter]) => [letter, heading as Heading]));

/** The letter of the step that the parade took last. */
export function letterOf({ heading }: Snake): string {
  return LETTERS[heading];
}

/**
 * The round of this seed after these steps, each a letter of `letterOf`, and how long it takes at its own pace in milliseconds;
 * `undefined` for steps that nobody can take: turns back, and such as come after the end. Some 2 ms for a whole tune.
 */
export function replay(seed: number, letters: string): { snake: Snake; ms: number } | undefined {
  if (letters.length > TUNE_STEPS) return undefined;
  let snake = begin(seed);
  let ms = 0;
  for (const letter of letters) {
    const heading = HEADINGS.get(letter);
    if (heading === undefined || snake.end) return undefined;
    ms += stepMs(snake);
    snake = step(turn(snake, heading));
    // A turn that is none is taken for straight on.
    if (snake.heading !== heading) return undefined;
  }
  return { snake, ms };
}

/** How long the parade takes for its next step when it keeps its own pace, in milliseconds. */
export function stepMs({ stars }: Snake): number {
  return Math.max(FASTEST_STEP_MS, FIRST_STEP_MS - FASTER_BY_MS * stars);
}

/** What somebody hears who cannot see the ring: where the star is as seen from the head, and what is in the way. */
export function describe(snake: Snake): string {
  const parts = [`Star ${offset(snake.cells[0]!, snake.star)}.`];
  if (snake.coin) parts.push(`Coin ${offset(snake.cells[0]!, snake.coin.at)}.`);
  const blocked = (Object.keys(MOVES) as Heading[]).filter((way) => obstacle(snake, ahead({ ...snake, heading: way })));
  if (blocked.length > 0) parts.push(`Blocked: ${blocked.join(", ")}.`);
  return parts.join(" ");
}

function offset(from: Cell, to: Cell): string {
  const [x, y] = [to.x - from.x, to.y - from.y];
  const across = x === 0 ? [] : [`${Math.abs(x)} ${x > 0 ? "right" : "left"}`];
  const along = y === 0 ? [] : [`${Math.abs(y)} ${y > 0 ? "down" : "up"}`];
  return [...across, ...along].join(", ");
}

/** Picks up what lies under the head, and lays out what follows. */
function settle(snake: Snake, eats: boolean): Snake {
  const head = snake.cells[0]!;
  const coin = snake.coin && snake.step < snake.coin.leaves ? snake.coin : undefined;
  if (coin && isSame(head, coin.at)) return pick({ ...snake, coin: undefined }, COIN_POINTS);
  if (!eats) return { ...snake, coin };
  const star = freeCell([...snake.cells, ...(coin ? [coin.at] : [])], snake.seed);
  const fed = { ...pick(snake, STAR_POINTS), coin, stars: snake.stars + 1, star: star.cell, seed: star.seed };
  if (fed.stars % STARS_A_COIN !== 0) return fed;
  const next = freeCell([...fed.cells, fed.star], fed.seed);
  return { ...fed, seed: next.seed, coin: { at: next.cell, leaves: fed.step + COIN_STEPS } };
}

function pick(snake: Snake, points: number): Snake {
  return { ...snake, score: snake.score + points, picked: { at: snake.cells[0]!, points, step: snake.step } };
}

function ahead({ cells, heading }: Snake): Cell {
  const [head] = cells;
  return { x: head!.x + MOVES[heading].x, y: head!.y + MOVES[heading].y };
}

/** The tail is no obstacle: it makes room with the same step, but for the step that eats, which a tail's cell has no star for. */
function obstacle({ cells }: Snake, at: Cell): End | undefined {
  if (at.x < 0 || at.y < 0 || at.x >= SIDE || at.y >= SIDE) return "kerb";
  return cells.slice(0, -1).some((cell) => isSame(cell, at)) ? "tail" : undefined;
}

/** A cell that nothing is on. A tune is too short to fill the ring. */
function freeCell(taken: readonly Cell[], seed: number): { cell: Cell; seed: number } {
  const free: Cell[] = [];
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) if (!taken.some((cell) => isSame(cell, { x, y }))) free.push({ x, y });
  }
  const dice = throwDice(seed);
  return { cell: free[Math.floor(dice.value * free.length)]!, seed: dice.seed };
}

function isSame(a: Cell, b: Cell): boolean {
  return a.x === b.x && a.y === b.y;
}

/** Mulberry32: 32 bits of state are plenty for where stars fall. `value` is at least 0 and less than 1. */
function throwDice(seed: number): { value: number; seed: number } {
  const next = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(next ^ (next >>> 15), next | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return { value: ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32, seed: next };
}
