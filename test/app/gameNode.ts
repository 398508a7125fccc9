/** A game on Ringmaster: an arena of its own that shows the hunts that are on, in one app with ours, and an endpoint of its own. */
import { type Client, defineRoom, Room } from "@colyseus/core";
import { z } from "zod";
import { RINGMASTER } from "../../src/app.config.ts";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { hunts } from "../../src/domains/hunts.ts";
import { defineDomain } from "../../src/domains/runtime/Domain.ts";
import { defineErrors, RingmasterError } from "../../src/errors.ts";
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
  /** What it costs to come in. */
  fee: number;
}

const GUILD_ERRORS = defineErrors({ guild_closed: { status: 423, message: "The guild takes nobody in." } });

/** A room of a domain of the game's own, with all that ours have. */
class GuildRoom extends BaseRoom<{ services: GuildServices }> {
  static override onAuth = admit({ role: "player" });

  override onCreate({ closed }: { closed?: boolean }): void {
    if (closed) throw new RingmasterError(GUILD_ERRORS.guild_closed);
    this.request("motto", z.unknown(), () => ({ motto: this.services.motto, fee: this.services.fee }));
    this.request("enter", z.unknown(), () => {
      throw new RingmasterError(GUILD_ERRORS.guild_closed, undefined, { fee: this.services.fee });
    });
  }

  protected override onPlayerJoin(_client: Client, { late }: { late?: boolean }): void {
    if (late) throw new RingmasterError(GUILD_ERRORS.guild_closed);
  }
}

const guilds = defineDomain({
  name: "guilds",
  needs: { hunts },
  errors: GUILD_ERRORS,
  variables: { GUILD_FEE: z.coerce.number().min(0).default(5) },
  open: async ({ settings: { GUILD_FEE: fee } }, { hunts }) => ({
    motto: `${(await hunts.huntOperations.list()).length} hunts at the start`,
    fee,
  }),
  rooms: { guild: { room: GuildRoom } },
});

const domains = [guilds, ...RINGMASTER.domains];
const config = readConfig(process.env, domains);
const app = await createApp(config, {
  domains,
  rooms: (servicesOf) => ({ arena: defineRoom(ArenaRoom, { huntOperations: servicesOf(hunts).huntOperations }) }),
  routes: (servicesOf) => ({
    "/arena": async (_request, response) => {
      response.json({ hunts: (await servicesOf(hunts).huntOperations.list()).length });
    },
  }),
});
process.once("SIGTERM", async () => process.exit((await app.stop()) ? 0 : 1));
console.log(`Ringmaster is ready: http://localhost:${app.port}`);
