/** What nodes tell each other about tournaments. Each can be lost with its sender; whoever misses one hears the next. */

/** `{tournamentId, view}`: how the tournament stands; to every node. */
export const VIEW = "tournaments.view";
