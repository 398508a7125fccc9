import type { RawData, WebSocket } from "ws";

/** What one socket may have waiting. */
const MOST_FRAMES = 40;
const MOST_BYTES = 64 * 1024;

/**
 * Keeps what a socket sends before its room listens to it; the returned function hands that over. The SDK asks as soon as the
 * socket is open again, which is sooner than the room has taken its player back, and would wait ten seconds for an answer that
 * never comes. A socket that sends more than 40 frames or 64 kB meanwhile is ended.
 */
export function holdFrames(socket: WebSocket): () => void {
  const held: [RawData, boolean][] = [];
  let bytes = 0;
  const hold = (data: RawData, isBinary: boolean): void => {
    bytes += (data as Buffer).length;
    if (held.length === MOST_FRAMES || bytes > MOST_BYTES) socket.terminate();
    else held.push([data, isBinary]);
  };
  socket.on("message", hold);
  return () => {
    socket.off("message", hold);
    for (const frame of held) socket.emit("message", ...frame);
  };
}
