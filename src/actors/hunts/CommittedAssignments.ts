import { assignmentIdOf } from "../../stores/hunts/assignments.ts";
import { type AssignmentRow, OUTCOME } from "../../stores/hunts/ClueLedger.ts";

/**
 * The closed assignments of a hunt that this node has committed and that their players may bring along with their next claim
 * (`ClaimDecision.previous`): those need not be committed a second time, which is a third of all that hunts write.
 * One entry a player who holds no clue from this node.
 */
export class CommittedAssignments {
  readonly #ofPlayers = new Map<string, string>();

  /** These rows are committed. */
  committed(rows: readonly AssignmentRow[]): void {
    for (const row of rows) {
      if (row.outcome === OUTCOME.open) this.#ofPlayers.delete(row.playerId);
      else this.#ofPlayers.set(row.playerId, assignmentIdOf(row));
    }
  }

  /** What of `rows` may not be committed yet. All of them when that is nothing: a commit also asks whether the epoch still holds. */
  outstanding(rows: readonly AssignmentRow[]): readonly AssignmentRow[] {
    const left = rows.filter((row) => !this.#has(row));
    return left.length === 0 ? rows : left;
  }

  #has(row: AssignmentRow): boolean {
    return row.outcome !== OUTCOME.open && this.#ofPlayers.get(row.playerId) === assignmentIdOf(row);
  }
}
