import { RingmasterError } from "../errors.ts";

/** What clients of before 0.17 take for the process of their room. Ids of processes are no words. */
const OUTDATED = "outdated";
const OUTDATED_PATH = new RegExp(`/${OUTDATED}/[\\w-]+$`);

interface SeatAnswer {
  name: string;
  roomId: string;
  publicAddress?: string;
}

/**
 * The answer with a seat, as clients of before 0.17 also understand it. They look for the room in `room`, and would fail on an
 * answer without one with an error of their own making; so they find one, whose socket tells them what is wrong.
 */
export function withOutdatedShape<S extends object>(seat: S): S & { room: object } {
  const { name, roomId, publicAddress } = seat as unknown as SeatAnswer;
  const room = { name, roomId, processId: OUTDATED, ...(publicAddress === undefined ? {} : { publicAddress }) };
  return { ...seat, room };
}

/** What a socket is refused with that was opened by such a client; undefined for any other. */
export function outdatedClient(url: string | undefined): RingmasterError | undefined {
  return OUTDATED_PATH.test((url ?? "").split("?", 1)[0]!)
    ? new RingmasterError(
        "invalid_payload",
        "The Colyseus SDK of this client is too old for this server: use one of 0.18.",
      )
    : undefined;
}
