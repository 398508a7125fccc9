import type { Request } from "express";
import { RingmasterError } from "../errors.ts";
import { ID } from "../ids.ts";

/** The `:id` of a path. Throws `not_found` for one that no event can have. */
export function eventIdOf(request: Request): string {
  const id = String(request.params.id);
  if (!ID.test(id)) throw new RingmasterError("not_found");
  return id;
}
