import type { Clock } from "../../clock.ts";
import type { ErrorCode } from "../../errors.ts";
import type { Identity } from "../../http/auth/identity.ts";
import type { Attendance } from "../../stores/sessions/Attendance.ts";
import type { Logger } from "../../telemetry/log.ts";

/** What every room needs of the rest; a domain's rooms ask for more by extending it. */
export interface RoomServices {
  /** Who a token speaks for. Throws `unauthenticated`. */
  verify(token: string): Promise<Identity>;
  /** For how many milliseconds more a player (`player:ID`) is kept out of this node; 0 for everybody who is not. */
  keptOutMs?(player: string): number;
  logger: Logger;
  clock: Clock;
  /** Whether this node is on its way out: nobody is to come into its rooms any more. */
  draining(): boolean;
  /** Whether this node cannot reach the database, which others may: nothing that is asked here can be answered. */
  cutOff?(): boolean;
  /** For one room: where it notes who is active. */
  attend?(): Attendance;
  /**
   * A request was answered, `seconds` after it arrived. `type` is one that the room knows, or `"unknown"`; `outcome` is the code
   * of its rejection, or `"ok"`.
   */
  requestAnswered?(room: string, type: string, outcome: ErrorCode | "ok", seconds: number): void;
}

let provided: RoomServices | undefined;
/** By the class of a room, and by its `onAuth`, which is called without the class. */
let own = new WeakMap<object, RoomServices>();
/** By services of one class of rooms: those of all rooms that they were made of. */
const common = new WeakMap<RoomServices, RoomServices>();

/**
 * Gives all rooms of this process their services. Colyseus creates rooms itself and its matchmaker is one a process, so this
 * is too. Call it before the server listens, and before those of a class; what was provided before is gone.
 */
export function provideRoomServices(services: RoomServices): void {
  provided = services;
  own = new WeakMap();
}

/** Gives the rooms of a class theirs, beside those of all rooms. */
export function provideServicesOf(Room: { onAuth?: object }, services: object): void {
  const all = { ...roomServices(), ...services };
  common.set(all, roomServices());
  own.set(Room, all);
  if (Room.onAuth !== undefined) own.set(Room.onAuth, all);
}

/** What was provided, as the room that asks knows it: by its class, or by its `onAuth`. */
export function roomServices<S extends RoomServices = RoomServices>(of?: object): S {
  const found = (of && own.get(of)) ?? provided;
  if (found === undefined) throw new Error("provideRoomServices() must come before the first room");
  return found as S;
}

/** Those of all rooms of this process: what is counted for a player is counted over all of them. */
export function commonServices(services: RoomServices): RoomServices {
  return common.get(services) ?? services;
}
