import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import {
  begin,
  type Cell,
  COIN_POINTS,
  describe as describeRing,
  type Heading,
  replay,
  SIDE,
  type Snake,
  STAR_POINTS,
  step,
  stepMs,
  TUNE_STEPS,
  turn,
} from "../../src/games/snake.ts";
import { Round } from "../../web/src/snake/Round.ts";
import { playSnake } from "../support/snakeRound.ts";

const HEADINGS: readonly Heading[] = ["up", "right", "down", "left"];

describe("the rules of Snake", () => {
  it("make the same round of the same seed and the same turns", () => {
    const play = (seed: number): Snake => HEADINGS.reduce((snake, heading) => step(turn(snake, heading)), begin(seed));
    deepEqual(play(5), play(5));
    notDeepEqual(play(5).star, play(6).star);
  });

  it("move the whole parade by one cell, and take one turn with each step", () => {
    const before = begin(1);
    const after = step(turn(turn(before, "up"), "left"));
    deepEqual(after.cells, [{ x: before.cells[0]!.x, y: before.cells[0]!.y - 1 }, ...before.cells.slice(0, -1)]);
    equal(step(after).heading, "left");
  });

  it("know no turn back, none into the same direction, and no more than two ahead", () => {
    const snake = begin(1);
    for (const heading of ["left", "right"] as const) equal(turn(snake, heading), snake);
    const twoAhead = turn(turn(snake, "up"), "left");
    equal(turn(twoAhead, "up"), twoAhead);
    // The second turn is seen from the first one's direction.
    equal(turn(turn(snake, "up"), "down").turns.length, 1);
  });

  it("make the parade longer by a star, and lay out the next one where nothing is", () => {
    const fed = step(withStarAhead(begin(3)));
    equal(fed.cells.length, begin(3).cells.length + 1);
    equal(fed.score, STAR_POINTS);
    ok(!isOn(fed.cells, fed.star));
  });

  it("roll in a coin with the fifth star, worth more and gone again after a while", () => {
    const five = { ...withStarAhead(begin(3)), stars: 4 };
    const fed = step(five);
    ok(fed.coin);
    const rich = step({ ...fed, coin: { ...fed.coin, at: ahead(fed) } });
    equal(rich.score, fed.score + COIN_POINTS);
    equal(rich.cells.length, fed.cells.length);
    equal(rich.coin, undefined);
    equal(step({ ...fed, step: fed.coin.leaves - 1 }).coin, undefined);
  });

  it("end at the kerb, where the parade stays as it is", () => {
    let snake = begin(9);
    for (let steps = 0; steps < SIDE && !snake.end; steps += 1) snake = step(turn(snake, "up"));
    equal(snake.end, "kerb");
    equal(snake.cells[0]!.y, 0);
    equal(step(snake), snake);
    equal(turn(snake, "left"), snake);
  });

  it("end at the parade's own body, but not at the tail, which makes room", () => {
    const square: Cell[] = [
      { x: 5, y: 5 },
      { x: 5, y: 6 },
      { x: 6, y: 6 },
      { x: 6, y: 5 },
    ];
    const circling: Snake = { ...begin(1), cells: square, heading: "up", turns: ["right"], star: { x: 0, y: 0 } };
    equal(step(circling).end, undefined);
    const longer: Snake = { ...circling, cells: [...square, { x: 7, y: 5 }] };
    equal(step(longer).end, "tail");
  });

  it("end when the band has played its tune", () => {
    equal(step({ ...begin(1), step: TUNE_STEPS - 2 }).end, undefined);
    equal(step({ ...begin(1), step: TUNE_STEPS - 1 }).end, "tune");
  });

  it("tell who cannot see it where things are, and what is in the way", () => {
    const snake: Snake = { ...begin(1), star: { x: 10, y: 5 } };
    equal(describeRing(snake), "Star 2 right, 3 up. Blocked: left.");
    const cornered: Snake = { ...snake, cells: [{ x: 0, y: 0 }, ...snake.cells], star: { x: 0, y: 4 } };
    equal(describeRing(cornered), "Star 4 down. Blocked: up, left.");
  });

  it("hold however it is led", () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    let most = 0;
    for (let game = 0; game < 40; game += 1) {
      let snake = begin(seed + game);
      for (let steps = 0; steps <= TUNE_STEPS && !snake.end; steps += 1) {
        snake = step(turn(snake, lead(snake, game)));
        checkRing(snake, `SEED=${seed}, game ${game}, step ${snake.step}`);
      }
      ok(snake.end, `SEED=${seed}, game ${game} ends`);
      most = Math.max(most, snake.stars);
    }
    ok(most > 10, `SEED=${seed}: the best parade ate ${most} stars only`);
  });
});

describe("a round of Snake", () => {
  it("takes a step whenever its time has come, and says how far the next one is", () => {
    const round = new Round({ seed: 1, counts: true, isStepwise: false });
    const each = stepMs(round.snake.value);
    equal(round.frame(1000), 0);
    equal(round.frame(1000 + each / 2), 0.5);
    equal(round.snake.value.step, 0);
    equal(round.frame(1000 + each), 0);
    equal(round.snake.value.step, 1);
  });

  it("goes on after a hitch or a pause where it stopped", () => {
    const round = new Round({ seed: 1, counts: true, isStepwise: false });
    round.frame(0);
    round.frame(60_000);
    equal(round.snake.value.step, 1);
    round.pause();
    equal(round.frame(70_000), 1);
    round.resume();
    round.frame(90_000);
    equal(round.snake.value.step, 1);
  });

  it("waits for each key at the player's own pace, and takes none backwards", () => {
    const round = new Round({ seed: 1, counts: true, isStepwise: true });
    round.frame(0);
    round.frame(60_000);
    equal(round.snake.value.step, 0);
    for (const heading of ["right", "up", "down"] as const) round.steer(heading);
    equal(round.snake.value.step, 2);
  });

  it("can be played again from its seed and its steps, at any pace, and wherever the bell ends it", () => {
    for (const isStepwise of [true, false]) {
      const round = new Round({ seed: 5, counts: true, isStepwise, run: "a run" });
      const { snake, proof } = playSnake(5, 60);
      let now = 0;
      for (const [at, letter] of [...proof].entries()) {
        round.steer(HEADINGS.find((one) => one.startsWith(letter))!);
        while (round.snake.value.step === at) {
          now += 20;
          round.frame(now);
        }
      }
      round.ring();
      equal(round.proof, proof);
      equal(replay(5, round.proof)?.snake.score, round.snake.value.score);
      equal(round.snake.value.score, snake.score);
    }
  });

  it("is over with the score that it has when the bell rings, also while it pauses", () => {
    const round = new Round({ seed: 1, counts: true, isStepwise: false });
    round.pause();
    round.ring();
    equal(round.status.value, "over");
    equal(round.snake.value.end, "bell");
    round.resume();
    equal(round.status.value, "over");
  });
});

/** Mostly towards the star, and never into anything that can be avoided; each game errs in its own way. */
function lead(snake: Snake, game: number): Heading {
  const open = HEADINGS.filter((heading) => !step(turn(snake, heading)).end);
  const errs = Math.imul(snake.step + game, 0x9e3779b1) >>> 28 < game % 8;
  const distance = (heading: Heading): number => {
    const [head] = step(turn(snake, heading)).cells;
    return Math.abs(head!.x - snake.star.x) + Math.abs(head!.y - snake.star.y);
  };
  const [best, other] = open.sort((a, b) => distance(a) - distance(b));
  return (errs ? (other ?? best) : best) ?? "up";
}

/** What holds after every step. */
function checkRing({ cells, stars, star, coin }: Snake, said: string): void {
  ok(
    cells.every(({ x, y }) => x >= 0 && y >= 0 && x < SIDE && y < SIDE),
    said,
  );
  equal(new Set(cells.map(({ x, y }) => x + y * SIDE)).size, cells.length, said);
  equal(cells.length, begin(0).cells.length + stars, said);
  ok(!isOn(cells, star), said);
  if (coin) ok(!isOn([...cells, star], coin.at), said);
}

function ahead({ cells: [head] }: Snake): Cell {
  return { x: head!.x + 1, y: head!.y };
}

function withStarAhead(snake: Snake): Snake {
  return { ...snake, star: ahead(snake) };
}

function isOn(cells: readonly Cell[], { x, y }: Cell): boolean {
  return cells.some((cell) => cell.x === x && cell.y === y);
}
