import { LocalPresence, type MatchMakerDriver, type Presence } from "@colyseus/core";
import { type Clock, systemClock } from "../../clock.ts";
import { connectRedis, whenReady } from "../../stores/runtime/redis.ts";
import type { Logger } from "../../telemetry/log.ts";
import { GuardedPresence } from "./GuardedPresence.ts";
import { KeyedLocalDriver } from "./KeyedLocalDriver.ts";
import { ListingGuard } from "./ListingGuard.ts";
import { RoomDirectory } from "./RoomDirectory.ts";

/** What Colyseus's server takes, and what the runtime tells it. */
export interface Matchmaking {
  presence: Presence;
  driver: MatchMakerDriver;
  /** The process is dead: nobody is sent to its rooms any more. Never rejects. */
  forgetProcess(processId: string): Promise<void>;
  /** No player is sent to the rooms of this process any more, from here or from a peer. Never rejects. */
  closeDoors(): Promise<void>;
  /** They are sent there again. Never rejects. */
  openDoors(): Promise<void>;
  /** Ends all connections. Call it before Colyseus's own shutdown ends them, or when that does not. */
  close(): Promise<void>;
}

/** Matchmaking of a cluster. Rejects with a ConfigError when Redis is out of reach at the start. */
export async function clusterMatchmaking(options: {
  redisUrl: string;
  logger?: Logger;
  clock?: Clock;
}): Promise<Matchmaking> {
  const { redisUrl, logger, clock = systemClock } = options;
  const forPresence = connectRedis(redisUrl, "presence", logger);
  const client = connectRedis(redisUrl, "rooms", logger);
  try {
    await Promise.all([whenReady(forPresence), whenReady(client)]);
  } catch (error) {
    forPresence.disconnect();
    client.disconnect();
    throw error;
  }
  const presence = new GuardedPresence(forPresence);
  const directory = new RoomDirectory(client, logger);
  const guard = new ListingGuard({ client, directory, presence, clock, logger });
  return {
    presence,
    driver: directory,
    forgetProcess: (processId) => guard.forgetProcess(processId),
    closeDoors: () => directory.closeDoors(),
    openDoors: () => directory.openDoors(),
    close: async () => {
      await guard.close();
      presence.shutdown();
      directory.shutdown();
    },
  };
}

/** Matchmaking of a process alone. */
export function embeddedMatchmaking(): Matchmaking {
  return {
    presence: new LocalPresence(),
    driver: new KeyedLocalDriver(),
    forgetProcess: async () => {},
    // The only process refuses by itself who still asks for a seat.
    closeDoors: async () => {},
    openDoors: async () => {},
    close: async () => {},
  };
}
