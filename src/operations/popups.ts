import { z } from "zod";
import { callOptions, type OperatorCall } from "../actors/admin/operatorCall.ts";
import { POPUPS, PopupActor } from "../actors/popups/PopupActor.ts";
import type { Actors } from "../actors/runtime/Actors.ts";
import { none, time } from "./fields.ts";
import { operationsWith } from "./Operation.ts";

/** What these need of the node. */
export interface PopupOperationServices {
  actors: Pick<Actors, "ref">;
}

const { command } = operationsWith<PopupOperationServices>();

const popups = ({ actors }: PopupOperationServices, call: OperatorCall) =>
  actors.ref(PopupActor, POPUPS, callOptions(call));

/** What operators do to popup windows. */
export const POPUP_COMMANDS = [
  command("openPopup", {
    description: "Opens a popup window now; a conflict while one is open.",
    args: none,
    answer: z.object({
      id: z.string(),
      contentId: z.string(),
      title: z.string(),
      body: z.string(),
      openedAt: time,
      closesAt: time,
    }),
    endpoint: { method: "POST", path: "/popups/global/open", body: (window) => ({ window }) },
    run: (_args, services, call) => popups(services, call).openNow(),
  }),
  command("closePopup", {
    description: "Closes the open popup window now; a conflict when none is open.",
    args: none,
    answer: z.object({ id: z.string(), views: z.int() }),
    endpoint: { method: "POST", path: "/popups/global/close" },
    run: (_args, services, call) => popups(services, call).closeNow(),
  }),
];
