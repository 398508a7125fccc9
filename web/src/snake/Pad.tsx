import type { Heading } from "../../../src/games/snake.ts";
import type { Round } from "./Round.ts";

const BUTTONS: readonly { heading: Heading; name: string; path: string }[] = [
  { heading: "up", name: "Up", path: "m6 15 6-6 6 6" },
  { heading: "left", name: "Left", path: "m15 6-6 6 6 6" },
  { heading: "right", name: "Right", path: "m9 6 6 6-6 6" },
  { heading: "down", name: "Down", path: "m6 9 6 6 6-6" },
];

/** Four buttons to steer by. */
export function Pad({ round }: { round: Round | undefined }) {
  return (
    <fieldset class="pad" aria-label="Steer the parade">
      {BUTTONS.map(({ heading, name, path }) => (
        <button
          key={heading}
          type="button"
          class={`pad__button pad__button--${heading}`}
          aria-label={name}
          onPointerDown={(event) => {
            // The turn is taken with the touch, and the focus stays where the keys are heard.
            event.preventDefault();
            round?.steer(heading);
          }}
          onMouseDown={(event) => event.preventDefault()}
          // By the keyboard or a screen reader: a pointer has steered before its click.
          onClick={(event) => event.detail === 0 && round?.steer(heading)}
        >
          <svg viewBox="0 0 24 24" width="28" height="28" aria-hidden="true" focusable="false">
            <path d={path} />
          </svg>
        </button>
      ))}
    </fieldset>
  );
}
