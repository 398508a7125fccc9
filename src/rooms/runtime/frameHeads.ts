/** The head of a websocket frame (RFC 6455, 5.2), as far as counting needs it. */
export interface FrameHead {
  /** How long the head is, and how long the payload that follows it. */
  bytes: number;
  payload: number;
  /** Whether no further frame belongs to the same message. */
  isFinal: boolean;
  /** Whether this is a ping, a pong or a close. */
  isControl: boolean;
}

const FINAL = 0x80;
const CONTROL = 0x08;
const MASKED = 0x80;
const MASK_BYTES = 4;

/** The head that begins at `offset`; `undefined` when not all of it is there. Whether it may be is for ws to say. */
export function frameHead(bytes: Buffer, offset: number): FrameHead | undefined {
  if (bytes.length < offset + 2) return undefined;
  const [first, second] = [bytes[offset]!, bytes[offset + 1]!];
  const short = second & 0x7f;
  const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
  const head = 2 + lengthBytes + ((second & MASKED) === 0 ? 0 : MASK_BYTES);
  if (bytes.length < offset + head) return undefined;
  const payload =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(offset + 2) : Number(bytes.readBigUInt64BE(offset + 2));
  return { bytes: head, payload, isFinal: (first & FINAL) !== 0, isControl: (first & CONTROL) !== 0 };
}
