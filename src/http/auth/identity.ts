/** What a caller may do, least first: each role may do what those before it may. */
export const ROLES = ["player", "viewer", "operator"] as const;
export type Role = (typeof ROLES)[number];

/** What the columns for players and operators have room for, in UTF-16 units. */
export const IDENTITY_BOUNDS = { id: 32, name: 64 } as const;

/** Who a token speaks for. */
export interface Identity {
  /** 1 to 32 characters. */
  playerId: string;
  /** At most 64 characters. */
  name: string;
  role: Role;
  /** When the token runs out that says so, in epoch milliseconds. */
  expiresAt?: number;
}

/** Whether `role` may do what `needed` may. */
export function mayActAs(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
