/** A game on Ringmaster: an arena of its own that shows the hunts that are on, in one app with ours, and an endpoint of its own. */
import { defineRoom, Room } from "@colyseus/core";
import { z } from "zod";
import { RINGMASTER } from "../../src/app.config.ts";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { hunts } from "../../src/domains/hunts.ts";
import { defineDomain } from "../../src/domains/runtime/Domain.ts";
import { admit } from "../../src/rooms/runtime/admission.ts";
import { BaseRoom } from "../../src/rooms/runtime/BaseRoom.ts";
import type { RoomServices } from "../../src/rooms/runtime/services.ts";

/** The services of a domain, as a page gives them to those that need it. */
type ServicesOf<D> = D extends { readonly "~services"?: infer S } ? NonNullable<S> : never;
type Hunts = ServicesOf<typeof hunts>["huntOperations"];

/** A room as Colyseus has them, which knows nothing of Ringmaster but the hunts that it is given. */
class ArenaRoom extends Room {
  override onCreate({ huntOperations }: { huntOperations: Hunts }): void {
    this.onMessage("hunts", async (client) => {
      client.send(
        "hunts",
        (await huntOperations.list()).map(({ name }) => name),
      );
    });
  }
}

interface GuildServices extends RoomServices {
  motto: string;
}

/** A room of a domain of the game's own, with all that ours have. */
class GuildRoom extends BaseRoom<{ services: GuildServices }> {
  static override onAuth = admit({ role: "player" });

  override onCreate(): void {
    this.request("motto", z.unknown(), () => ({ motto: this.services.motto }));
  }
}

const guilds = defineDomain({
  name: "guilds",
  needs: { hunts },
  open: async (_node, { hunts }) => ({ motto: `${(await hunts.huntOperations.list()).length} hunts at the start` }),
  rooms: { guild: { room: GuildRoom } },
});

const config = readConfig(process.env);
const app = await createApp(config, {
  domains: [guilds, ...RINGMASTER.domains],
  rooms: (servicesOf) => ({ arena: defineRoom(ArenaRoom, { huntOperations: servicesOf(hunts).huntOperations }) }),
  routes: (servicesOf) => ({
    "/arena": async (_request, response) => {
      response.json({ hunts: (await servicesOf(hunts).huntOperations.list()).length });
    },
  }),
});
process.once("SIGTERM", async () => process.exit((await app.stop()) ? 0 : 1));
console.log(`Ringmaster is ready: http://localhost:${app.port}`);
