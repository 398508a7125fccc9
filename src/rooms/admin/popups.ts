import { callOptions, type OperatorCall } from "../../actors/admin/operatorCall.ts";
import { POPUPS, PopupActor } from "../../actors/popups/PopupActor.ts";
import type { Actors } from "../../actors/runtime/Actors.ts";
import type { Verbs } from "./verbs.ts";

export interface PopupVerbServices {
  actors: Actors;
}

export const POPUP_VERBS: Verbs<PopupVerbServices> = {
  commands: {
    openPopup: (_args, { actors }, call) => popups(actors, call).openNow(),
    closePopup: (_args, { actors }, call) => popups(actors, call).closeNow(),
  },
  queries: {},
};

function popups(actors: Actors, call: OperatorCall) {
  return actors.ref(PopupActor, POPUPS, callOptions(call));
}
