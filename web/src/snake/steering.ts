import type { Heading } from "../../../src/games/snake.ts";

/** Keys by their place on the keyboard, so that W, A, S, D are a cross on any layout. */
const KEYS: Record<string, Heading> = {
  ArrowUp: "up",
  ArrowRight: "right",
  ArrowDown: "down",
  ArrowLeft: "left",
  KeyW: "up",
  KeyD: "right",
  KeyS: "down",
  KeyA: "left",
};

/** A finger must move this far, in CSS pixels, before its direction is meant. */
const SWIPE_PX = 16;

export function headingOfKey({ code, altKey, ctrlKey, metaKey }: KeyboardEvent): Heading | undefined {
  return altKey || ctrlKey || metaKey ? undefined : KEYS[code];
}

/** Reads turns out of a finger's way: each stretch of it that is long enough is one, without lifting the finger. */
export class Swipe {
  #from: { x: number; y: number } | undefined;

  start({ clientX, clientY }: PointerEvent): void {
    this.#from = { x: clientX, y: clientY };
  }

  move({ clientX, clientY }: PointerEvent): Heading | undefined {
    if (!this.#from) return undefined;
    const [x, y] = [clientX - this.#from.x, clientY - this.#from.y];
    if (Math.max(Math.abs(x), Math.abs(y)) < SWIPE_PX) return undefined;
    this.#from = { x: clientX, y: clientY };
    if (Math.abs(x) > Math.abs(y)) return x > 0 ? "right" : "left";
    return y > 0 ? "down" : "up";
  }

  end(): void {
    this.#from = undefined;
  }
}
