import { AdminRoom } from "../rooms/admin/AdminRoom.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** Where operators run the commands and queries of all domains. */
export const admin = defineDomain({
  name: "admin",
  open: ({ catalogue }) => ({ commands: catalogue.commands, queries: catalogue.queries }),
  rooms: { admin: { room: AdminRoom } },
});
