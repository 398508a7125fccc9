/** What nodes tell each other about hunts. Each can be lost with its sender; whoever misses one asks again. */

/** `{huntId, rows}`: claims that waited were served; to every node, for their players may be on several. */
export const SERVED = "hunts.served";
/** `{huntId, players}`: these, each `{playerId, name}`, wait from now on; to every node, for they may be on several. */
export const WAITS = "hunts.waits";
/** `{huntId, playerId}`: the player waits no more, because they want to; to every node. */
export const QUIT = "hunts.quit";
/** `{huntId, rows}`: assignments were revoked; to every node. */
export const REVOKED = "hunts.revoked";
/** `{huntId, from, question, players}`: these have left node `from` for good; which of them have a seat on the receiver? To every other node. */
export const LEFT = "hunts.left";
/** `{question, from, here}`: the answer of node `from` to such a question, with those who have a seat on it. */
export const HERE = "hunts.here";
/** `{huntId}`: the ledger was rebuilt, and its queue is empty; to every node. */
export const RELOADED = "hunts.reloaded";
/** `{huntId, view}`: how the hunt stands; to every node. */
export const VIEW = "hunts.view";
