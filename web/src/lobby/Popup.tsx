import { useEffect } from "preact/hooks";
import { announce } from "../announcer.ts";
import { useServerNow } from "../countdown.ts";
import { focusWhenLost } from "../focus.ts";
import { useObservable } from "../observable.ts";
import type { PopupWindow } from "../protocol.ts";
import type { Lobby } from "./Lobby.ts";

/** The popup window that is open, until it closes or the player closes it. */
export function Popup({ lobby }: { lobby: Lobby }) {
  const popup = useObservable(lobby.popup);
  return popup ? <Shown key={popup.id} lobby={lobby} popup={popup} /> : null;
}

function Shown({ lobby, popup }: { lobby: Lobby; popup: PopupWindow }) {
  const isOver = popup.closesAt <= useServerNow(lobby.clock);
  useEffect(() => {
    if (isOver) return;
    announce(`${popup.title}. ${popup.body}`);
    lobby.viewPopup(popup.id);
  }, [lobby, popup, isOver]);
  if (isOver) return null;

  const close = (): void => {
    lobby.closePopup(popup.id);
    // The button that had the focus goes.
    setTimeout(() => focusWhenLost(document.getElementById("act-name")));
  };
  return (
    <aside class="popup" aria-labelledby="popup">
      <div class="popup__words">
        <h2 id="popup">{popup.title}</h2>
        <p>{popup.body}</p>
      </div>
      <button class="quiet" type="button" onClick={close}>
        Close
        <span class="unseen"> “{popup.title}”</span>
      </button>
    </aside>
  );
}
