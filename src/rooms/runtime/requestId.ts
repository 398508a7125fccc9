import { z } from "zod";

/** A client's own name of something that it asks for: the same one gets the first answer again. */
export const requestId = z.string().regex(/^[\x21-\x7e]{1,64}$/, "must have 1 to 64 printable ASCII characters");
