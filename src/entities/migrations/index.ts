import type { MigrationInterface } from "typeorm";
import { Actors20261121000000 } from "./20261121000000-actors.ts";
import { Hunts20261121000100 } from "./20261121000100-hunts.ts";

/** Every migration, oldest first; they run before anything listens. */
export const MIGRATIONS: ReadonlyArray<new () => MigrationInterface> = [Actors20261121000000, Hunts20261121000100];
