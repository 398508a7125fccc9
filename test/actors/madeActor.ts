import type { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import type { ActorAddress, ClaimedRow } from "../../src/actors/runtime/actorRow.ts";
import type { Sql } from "../../src/entities/sql.ts";

/** Makes an actor's row as its first turn would, owned by the node that `store` is of. */
export async function makeActor(
  store: ActorStore,
  sql: Sql,
  address: ActorAddress,
  now = 0,
  state: object = {},
): Promise<ClaimedRow> {
  const row: ClaimedRow = {
    ...address,
    epoch: 1,
    version: 0,
    state: JSON.stringify(state),
    stateVersion: 1,
    timers: [],
    crashes: 0,
  };
  await store.make(sql, row, { state: row.state, timers: [], dueAt: null, now });
  return { ...row, version: row.version + 1 };
}
