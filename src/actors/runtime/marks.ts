import { isAfter, type Position } from "./messages.ts";

/**
 * What a receiver has had from one sender: all up to a position, but for the gaps. A sender's messages come in order, so that one
 * position stands for all before it; a gap is one that was given up as a dead letter, and may still come.
 */
export interface Mark extends Position {
  /** In order. */
  gaps: readonly Position[];
}

/** Dead letters from one sender to one receiver; with so many its further messages wait until an operator closes some. */
export const MOST_GAPS = 64;

const isSame = (one: Position, other: Position): boolean => !isAfter(one, other) && !isAfter(other, one);

/** Whether the receiver has had it already. */
export function isDone(mark: Mark | undefined, at: Position): boolean {
  return mark !== undefined && !isAfter(at, mark) && !mark.gaps.some((gap) => isSame(gap, at));
}

/** The receiver has it now. It must not be done. */
export function marked(mark: Mark | undefined, { version, index }: Position): Mark {
  const at = { version, index };
  if (mark === undefined || isAfter(at, mark)) return { ...at, gaps: mark?.gaps ?? [] };
  return { ...mark, gaps: mark.gaps.filter((gap) => !isSame(gap, at)) };
}

/** It is left out for now. Undefined when there are as many gaps as there may be. */
export function withGap(mark: Mark | undefined, { version, index }: Position): Mark | undefined {
  const at = { version, index };
  if (mark && !isAfter(at, mark)) return mark;
  const gaps = [...(mark?.gaps ?? []), at];
  return gaps.length > MOST_GAPS ? undefined : { ...at, gaps };
}
