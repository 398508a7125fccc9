import { insertNew } from "../insertNew.ts";
import type { Sql, Transaction } from "../sql.ts";

/** What a popup may say, and how often relative to the others. */
export interface PopupContent {
  id: string;
  title: string;
  body: string;
  weight: number;
}

/** A window in which a popup is shown. Times are epoch milliseconds. */
export interface PopupWindow {
  id: string;
  contentId: string;
  title: string;
  body: string;
  openedAt: number;
  closesAt: number;
}

interface WindowRow {
  id: string;
  content_id: string;
  title: string;
  body: string;
  opened_at: number;
  closes_at: number;
}

/** Contents that may be chosen. */
export async function popupContents(sql: Sql): Promise<PopupContent[]> {
  const rows = await sql.query<PopupContent>(
    "SELECT id, title, body, weight FROM popup_contents WHERE weight > 0 ORDER BY id",
  );
  return rows.map((row) => ({ ...row, weight: Number(row.weight) }));
}

export async function insertWindow(tx: Transaction, window: PopupWindow): Promise<void> {
  await tx.write(
    "INSERT INTO popup_windows (id, content_id, title, body, opened_at, closes_at, closed_at, views) VALUES (?, ?, ?, ?, ?, ?, NULL, 0)",
    [window.id, window.contentId, window.title, window.body, window.openedAt, window.closesAt],
  );
}

/** Closes the window to views, waiting for those being counted. Answers how many there were. */
export async function closeWindow(tx: Transaction, id: string, closedAt: number): Promise<number> {
  await tx.write("UPDATE popup_windows SET closed_at = ? WHERE id = ?", [closedAt, id]);
  const [row] = await tx.query<{ views: number }>("SELECT views FROM popup_windows WHERE id = ?", [id]);
  return Number(row?.views ?? 0);
}

/** Whether a window that nobody has closed is open yet: who closes it at its end may be late. */
export function isOpen({ closesAt }: Pick<PopupWindow, "closesAt">, now: number): boolean {
  return now < closesAt;
}

/** The window that is open, if one is. */
export async function openWindow(sql: Sql, now: number): Promise<PopupWindow | undefined> {
  const [row] = await sql.query<WindowRow>(
    `SELECT id, content_id, title, body, opened_at, closes_at FROM popup_windows
     WHERE closed_at IS NULL AND closes_at > ? ORDER BY opened_at DESC LIMIT 1`,
    [now],
  );
  if (!row) return undefined;
  const { id, title, body } = row;
  return {
    id,
    contentId: row.content_id,
    title,
    body,
    openedAt: Number(row.opened_at),
    closesAt: Number(row.closes_at),
  };
}

/**
 * Counts views, each player's once. Answers the window's views after it; undefined when the window is closed, has come to its end or was
 * never open, and then nothing is counted.
 */
export async function countViews(
  tx: Transaction,
  windowId: string,
  playerIds: readonly string[],
  now: number,
): Promise<number | undefined> {
  const lock = tx.dialect === "mysql" ? " FOR UPDATE" : "";
  const [row] = await tx.query<{ views: number; closes_at: number; closed_at: number | null }>(
    `SELECT views, closes_at, closed_at FROM popup_windows WHERE id = ?${lock}`,
    [windowId],
  );
  if (!row || row.closed_at !== null || !isOpen({ closesAt: Number(row.closes_at) }, now)) return undefined;
  const players = [...new Set(playerIds)];
  const added = await insertNew(
    tx,
    { table: "popup_views", columns: ["window_id", "player_id", "viewed_at"] },
    players.map((playerId) => [windowId, playerId, now]),
  );
  if (added > 0) await tx.write("UPDATE popup_windows SET views = views + ? WHERE id = ?", [added, windowId]);
  return Number(row.views) + added;
}
