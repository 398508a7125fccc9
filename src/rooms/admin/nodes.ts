import type { Actors } from "../../actors/runtime/Actors.ts";
import type { Verbs } from "./verbs.ts";

export interface NodeVerbServices {
  actors: Actors;
}

export const NODE_VERBS: Verbs<NodeVerbServices> = {
  commands: {},
  queries: {
    nodes: async (_args, { actors }) => ({ nodes: actors.membership.live(), actorsHere: actors.residents }),
  },
};
