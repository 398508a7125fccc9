/** The feed of what is on and coming, of all domains. */
export const LOBBY_TOPIC = "lobby";
