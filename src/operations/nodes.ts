import { z } from "zod";
import type { Actors } from "../actors/runtime/Actors.ts";
import { none } from "./fields.ts";
import { operationsWith } from "./Operation.ts";

/** What these need of the node. */
export interface NodeOperationServices {
  actors: Pick<Actors, "membership" | "residents">;
}

const { query } = operationsWith<NodeOperationServices>();

/** What is asked of nodes. */
export const NODE_QUERIES = [
  query("nodes", {
    description: "All nodes that live, and how many actors the one that answers has.",
    args: none,
    answer: z.object({
      nodes: z.array(
        z.object({
          id: z.string(),
          role: z.enum(["all", "web", "worker"]),
          publicAddress: z.string().optional(),
          draining: z.boolean().optional(),
          cutOff: z.boolean().optional(),
          actors: z.int().optional(),
          clockOffMs: z.number().optional(),
          clockIsOff: z.boolean().optional(),
        }),
      ),
      actorsHere: z.int(),
    }),
    run: async (_args, { actors }) => ({ nodes: actors.membership.live(), actorsHere: actors.residents }),
  }),
];
