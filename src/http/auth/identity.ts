/** What a caller may do, least first: each role may do what those before it may. */
export const ROLES = ["player", "viewer", "operator"] as const;
export type Role = (typeof ROLES)[number];

/** Who a token speaks for. */
export interface Identity {
  playerId: string;
  name: string;
  role: Role;
}

/** Whether `role` may do what `needed` may. */
export function mayActAs(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
