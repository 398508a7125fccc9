/** What nodes tell each other about hunts. Each can be lost with its sender; whoever misses one asks again. */

/** `{huntId, rows}`: claims that waited were served; to the nodes of their players. */
export const SERVED = "hunts.served";
/** `{huntId, rows}`: assignments were revoked; to every node. */
export const REVOKED = "hunts.revoked";
/** `{huntId}`: the ledger was rebuilt, and its queue is empty; to every node. */
export const RELOADED = "hunts.reloaded";
/** `{huntId, view}`: how the hunt stands; to every node. */
export const VIEW = "hunts.view";
