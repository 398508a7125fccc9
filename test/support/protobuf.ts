/** A message as its fields by number, each as often as it comes: varints and fixed numbers as bigint, everything else as bytes. */
export type Message = ReadonlyMap<number, ReadonlyArray<bigint | Buffer>>;

/** Reads protobuf's wire format, without a schema: https://protobuf.dev/programming-guides/encoding. Throws when it is none. */
export function readMessage(bytes: Buffer): Message {
  const fields = new Map<number, Array<bigint | Buffer>>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new Error("a number has no end");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error("a field is longer than its message");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const readers: Record<number, () => bigint | Buffer> = {
    0: varint,
    1: () => take(8).readBigUInt64LE(),
    2: () => take(Number(varint())),
    5: () => BigInt(take(4).readUInt32LE()),
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const read = readers[tag & 7];
    if (read === undefined) throw new Error(`there is no wire type ${tag & 7}`);
    const field = fields.get(tag >> 3) ?? [];
    field.push(read());
    fields.set(tag >> 3, field);
  }
  return fields;
}

export const bytesOf = (message: Message, field: number): Buffer[] => (message.get(field) ?? []) as Buffer[];
export const messagesOf = (message: Message, field: number): Message[] => bytesOf(message, field).map(readMessage);
export const textOf = (message: Message, field: number): string => bytesOf(message, field)[0]?.toString("utf8") ?? "";
export const hexOf = (message: Message, field: number): string => bytesOf(message, field)[0]?.toString("hex") ?? "";
export const numberOf = (message: Message, field: number): number => Number(message.get(field)?.[0] ?? 0n);

/** A 64-bit field as the double that it is; undefined when it is not there. */
export function doubleOf(message: Message, field: number): number | undefined {
  const bits = message.get(field)?.[0];
  return typeof bits === "bigint" ? doubleFrom(bits) : undefined;
}

/** A packed field of doubles, or of fixed 64-bit numbers. */
export function packedOf(message: Message, field: number, kind: "double" | "fixed64"): number[] {
  return bytesOf(message, field).flatMap((bytes) =>
    Array.from({ length: bytes.length / 8 }, (_, index) => {
      const bits = bytes.readBigUInt64LE(8 * index);
      return kind === "double" ? doubleFrom(bits) : Number(bits);
    }),
  );
}

function doubleFrom(bits: bigint): number {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(bits);
  return bytes.readDoubleLE();
}
