import { begin, type Heading, letterOf, type Snake, step, turn } from "../../src/games/snake.ts";

const HEADINGS: readonly Heading[] = ["up", "right", "down", "left"];

/** A round as somebody may play it: straight to each star, past what is in the way. */
export interface SnakeRound {
  score: number;
  /** Every step, as the game's check wants it for a proof. */
  proof: string;
  snake: Snake;
}

/** Plays the round of this seed, to its end or for so many steps. */
export function playSnake(seed: number, steps = Number.POSITIVE_INFINITY): SnakeRound {
  let snake = begin(seed);
  let proof = "";
  while (!snake.end && snake.step < steps) {
    snake = step(turn(snake, headingOf(snake)));
    proof += letterOf(snake);
  }
  return { score: snake.score, proof, snake };
}

function headingOf(snake: Snake): Heading {
  const { star } = snake;
  const distance = (heading: Heading): number => {
    const next = step(turn(snake, heading));
    const [head] = next.cells;
    return next.end ? Number.POSITIVE_INFINITY : Math.abs(head!.x - star.x) + Math.abs(head!.y - star.y);
  };
  return HEADINGS.toSorted((a, b) => distance(a) - distance(b))[0]!;
}
