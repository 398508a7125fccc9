/** Where a client of a load test belongs. */
export interface Seat {
  /** `ws://host:port` or `wss://…` */
  endpoint: string;
  roomName: string;
  /** Joins this very room, and none of its name. */
  roomId: string | undefined;
}

/** One client of a load test. */
export interface Bot {
  /** Signs in, joins and begins to play. Rejects when it cannot get in. */
  join(): Promise<void>;
  /** Asks nothing more, waits for the answers under way, and leaves. */
  end(): Promise<void>;
  /** Breaks the connection, as a network would; the bot comes back by itself. */
  drop(): void;
}
