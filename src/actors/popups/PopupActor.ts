import {
  closeWindow,
  insertWindow,
  isOpen,
  type PopupContent,
  type PopupWindow,
  popupContents,
} from "../../entities/popups/Popup.ts";
import { RingmasterError } from "../../errors.ts";
import { Actor, type TimerHandlers } from "../runtime/Actor.ts";

interface PopupState {
  armed: boolean;
  /** Windows opened so far: the next one's id. */
  count: number;
  window: PopupWindow | null;
}

/** The id of the one popup actor. */
export const POPUPS = "global";
/** How long after one window opened the next does, give or take the spread: at random, and told to nobody before. */
export const EVERY_MS = 3 * 3_600_000;
export const SPREAD_MS = 20 * 60_000;
export const WINDOW_MS = 5 * 60_000;

/** Opens a popup window every three hours or so, for five minutes. */
export class PopupActor extends Actor<PopupState> {
  static readonly kind = "popup";
  static readonly reads = ["current"];
  static initial(): PopupState {
    return { armed: false, count: 0, window: null };
  }

  readonly timers: TimerHandlers = { open: () => this.#openDue(), close: () => this.#close() };

  /** Every node says this at its start; the first one ever sets the clock. */
  async arm(): Promise<void> {
    if (this.state.armed) return;
    this.state.armed = true;
    this.#scheduleNext();
  }

  /** An operator opens a window now. Throws `conflict` while one is open. The next by itself comes three hours after this one. */
  async openNow(): Promise<PopupWindow> {
    const open = this.#openWindow;
    if (open) throw new RingmasterError("conflict", `Popup window ${open.id} is open already.`);
    const window = await this.#open();
    if (!window) throw new RingmasterError("not_found", "There is no popup content with a weight above 0.");
    return window;
  }

  /** An operator closes the open window now. Throws `conflict` when none is. */
  async closeNow(): Promise<{ id: string; views: number }> {
    if (!this.#openWindow) throw new RingmasterError("conflict", "No popup window is open.");
    return this.#close();
  }

  async current(): Promise<PopupWindow | null> {
    return this.#openWindow;
  }

  /** A window is over at its end, also while its timer `close` is late. */
  get #openWindow(): PopupWindow | null {
    const { window } = this.state;
    return window && isOpen(window, this.now) ? window : null;
  }

  async #openDue(): Promise<void> {
    if (this.#openWindow) this.#scheduleNext();
    else await this.#open();
  }

  /** Opens a window and sets the clock for the next; without any content only the latter. */
  async #open(): Promise<PopupWindow | undefined> {
    this.#scheduleNext();
    const sql = await this.sql();
    const content = chooseByWeight(await popupContents(sql), this.rng.next());
    if (!content) return undefined;
    if (this.state.window) await this.#close();
    this.state.count += 1;
    const window: PopupWindow = {
      id: `w${this.state.count}`,
      contentId: content.id,
      title: content.title,
      body: content.body,
      openedAt: this.now,
      closesAt: this.now + WINDOW_MS,
    };
    this.state.window = window;
    await insertWindow(sql, window);
    this.at("close", window.closesAt);
    this.notifyLobby("popupOpened", window);
    return window;
  }

  async #close(): Promise<{ id: string; views: number }> {
    const { window } = this.state;
    if (!window) return { id: "", views: 0 };
    this.state.window = null;
    this.cancelTimer("close");
    const views = await closeWindow(await this.sql(), window.id, this.now);
    this.notifyLobby("popupClosed", { id: window.id });
    return { id: window.id, views };
  }

  #scheduleNext(): void {
    this.after("open", EVERY_MS + (2 * this.rng.next() - 1) * SPREAD_MS);
  }
}

/** The content that `chance` (0 up to 1) falls on, each as wide as its weight; undefined when there is none. */
export function chooseByWeight(contents: readonly PopupContent[], chance: number): PopupContent | undefined {
  const total = contents.reduce((sum, { weight }) => sum + weight, 0);
  let left = chance * total;
  for (const content of contents) {
    left -= content.weight;
    if (left < 0) return content;
  }
  return contents.at(-1);
}
