import { announce } from "../announcer.ts";
import { TopHat } from "../art/TopHat.tsx";
import { type Observable, useObservable } from "../observable.ts";
import { session, signOut } from "../session.ts";
import { theme, toggleTheme } from "../theme.ts";
import { Points } from "./Points.tsx";

/** The awning over everything: the house, the player, the player's points, the lights. */
export function Header({ points }: { points: Observable<number> | undefined }) {
  const who = useObservable(session);
  const dark = useObservable(theme) === "dark";

  return (
    <header class="header">
      <div class="header__inner">
        <div class="brand">
          <TopHat />
          <span class="brand__name">Ringmaster</span>
        </div>
        <div class="header__player">
          <span class="header__name">
            <span class="unseen">Playing as </span>
            {who?.player.name}
          </span>
          {points && <Points of={points} />}
          <button
            class="icon"
            type="button"
            onClick={() => {
              toggleTheme();
              announce(dark ? "Lights on." : "Lights down.");
            }}
          >
            <span class="unseen">{dark ? "Switch to the light theme" : "Switch to the dark theme"}</span>
            <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
              {dark ? (
                <path d="M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m11.4 0 1.4 1.4M4.9 4.9l1.4 1.4M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Z" />
              ) : (
                <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" />
              )}
            </svg>
          </button>
          <button class="quiet quiet--header" type="button" onClick={signOut}>
            Leave
            <span class="unseen"> and play under another name</span>
          </button>
        </div>
      </div>
    </header>
  );
}
