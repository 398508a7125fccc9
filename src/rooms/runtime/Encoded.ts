import { Packr } from "msgpackr";

/** As Colyseus writes messages: without msgpackr's own records, which other decoders do not know. */
const packr = new Packr({ useRecords: false });

/** A value that many are answered with, written as MessagePack once for all of them. */
export class Encoded {
  readonly bytes: Buffer;

  constructor(value: unknown) {
    // msgpackr writes the next value into the same memory.
    this.bytes = Buffer.from(packr.pack(value));
  }
}

/** An object as MessagePack up to its last field's value, which follows and is written already. */
export function encodedUpTo(last: string, fields: object): Buffer {
  return packr.pack({ ...fields, [last]: null }).subarray(0, -1);
}
