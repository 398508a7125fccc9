import type { Rng } from "../../clock.ts";
import type { SealedHunt } from "../../entities/hunts/Hunt.ts";
import { hashAnswers, newSalt } from "./answers.ts";
import type { HuntDefinition } from "./definition.ts";

/** Takes the answers out of a definition and puts their salted hashes in: from here on nobody can read them. */
export function sealHunt(definition: HuntDefinition, rng: Rng): SealedHunt {
  const salt = newSalt(rng);
  const hashes = hashAnswers(definition, salt);
  const clues = definition.clues.map(({ answers: _, ...clue }, at) => ({ ...clue, hashes: hashes[at]! }));
  return { ...definition, prizes: definition.prizes ?? [], salt, clues };
}
