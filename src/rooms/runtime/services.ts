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

/**
 * Gives all rooms of this process their services. Colyseus creates rooms itself and its matchmaker is one a process, so this
 * is too. Call it before the server listens.
 */
export function provideRoomServices(services: RoomServices): void {
  provided = services;
}

/** What was provided, as the asking room knows it. */
export function roomServices<S extends RoomServices = RoomServices>(): S {
  if (provided === undefined) throw new Error("provideRoomServices() must come before the first room");
  return provided as S;
}
