/** BIGINT columns that hold times and counters: both drivers' strings and numbers become numbers (below 2^53, as all of ours are). */
export const bigNumber = {
  type: "bigint",
  transformer: {
    to: (value: number) => value,
    from: (value: string | number | null) => (value === null ? null : Number(value)),
  },
} as const;

/** A text column that holds JSON. */
export const json = {
  type: "text",
  transformer: {
    to: (value: unknown) => (value === null ? null : JSON.stringify(value)),
    from: (value: string | null) => (value === null ? null : JSON.parse(value)),
  },
} as const;
