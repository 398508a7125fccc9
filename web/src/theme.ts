import { Observable } from "./observable.ts";
import { recall, remember } from "./storage.ts";

export type Theme = "light" | "dark";

const KEY = "ringmaster.theme";

/** The theme in use: the one chosen here, else the system's. */
export const theme = new Observable<Theme>(chosen() ?? system());

export function toggleTheme(): void {
  const next = theme.value === "dark" ? "light" : "dark";
  remember(KEY, next);
  theme.set(next);
}

/** Puts the theme on the page and follows the system's as long as none was chosen here. */
export function applyTheme(): void {
  const show = (): void => {
    document.documentElement.dataset.theme = theme.value;
  };
  show();
  theme.subscribe(show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => theme.set(chosen() ?? system()));
}

function chosen(): Theme | undefined {
  const found = recall(KEY);
  return found === "light" || found === "dark" ? found : undefined;
}

function system(): Theme {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
