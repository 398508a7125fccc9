import { Actors20261121000000 } from "../entities/migrations/20261121000000-actors.ts";
import { Messages20261130020000 } from "../entities/migrations/20261130020000-messages.ts";
import { FailingTimers20261130020100 } from "../entities/migrations/20261130020100-failing-timers.ts";
import { MarksBySender20261130020200 } from "../entities/migrations/20261130020200-marks-by-sender.ts";
import { DatabaseProbes20261130030000 } from "../entities/migrations/20261130030000-database-probes.ts";
import { ActorBlame20261130030300 } from "../entities/migrations/20261130030300-actor-blame.ts";
import { ActorSlots20261130040000 } from "../entities/migrations/20261130040000-actor-slots.ts";
import { BlameAges20261130130000 } from "../entities/migrations/20261130130000-blame-ages.ts";
import { DeadEvents20261130140000 } from "../entities/migrations/20261130140000-dead-events.ts";
import { Unreached20261130140200 } from "../entities/migrations/20261130140200-unreached.ts";
import { ActorVersions20261130170000 } from "../entities/migrations/20261130170000-actor-versions.ts";
import { DEAD_LETTER_COMMANDS, DEAD_LETTER_QUERIES } from "../operations/deadLetters.ts";
import { NODE_QUERIES } from "../operations/nodes.ts";
import { byAge } from "../schedulers/retention/purges.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** How long a request id keeps its answer, in days: nobody repeats a request for longer. */
export const REQUEST_ID_DAYS = 7;
/** How long it stays known what an actor has had from another one, in days, once nothing of it is on its way. */
export const MARK_DAYS = 1;
/** How long it stays known which actors a process was in the hands of, and who is blamed for its death, in days: most are acquitted within seconds. */
export const BLAME_DAYS = 1;

/** The actor runtime of all domains: its tables, and what operators see and do of it. */
export const actors = defineDomain({
  name: "actors",
  runtime: "actors",
  migrations: [
    Actors20261121000000,
    Messages20261130020000,
    FailingTimers20261130020100,
    MarksBySender20261130020200,
    DatabaseProbes20261130030000,
    ActorBlame20261130030300,
    ActorSlots20261130040000,
    BlameAges20261130130000,
    DeadEvents20261130140000,
    Unreached20261130140200,
    ActorVersions20261130170000,
  ],
  retention: [
    byAge({
      name: "requestIds",
      table: "actor_requests",
      key: ["kind", "id", "request_id"],
      age: "created_at",
      days: REQUEST_ID_DAYS,
    }),
    {
      ...byAge({
        name: "actorMarks",
        table: "actor_marks",
        // With its time: one that has changed meanwhile stays.
        key: ["kind", "id", "from_kind", "from_id", "updated_at"],
        age: "updated_at",
        days: MARK_DAYS,
        only: `gaps = '[]' AND NOT EXISTS (SELECT 1 FROM actor_tells messages
        WHERE messages.target_kind = actor_marks.kind AND messages.target_id = actor_marks.id
          AND messages.kind = actor_marks.from_kind AND messages.id = actor_marks.from_id)`,
      }),
      mostARun: 5_000_000,
    },
    byAge({
      name: "actorsInHand",
      table: "actor_in_hand",
      // With its time: one that was written anew meanwhile stays.
      key: ["node_id", "written_at"],
      age: "written_at",
      days: BLAME_DAYS,
    }),
    byAge({
      name: "actorBlame",
      table: "actor_blame",
      key: ["kind", "id", "node_id", "life"],
      age: "blamed_at",
      days: BLAME_DAYS,
    }),
  ],
  open: ({ actors, jobs }) => ({
    actors,
    deadLetters: actors.deadLetters,
    failingTimers: actors.failingTimers,
    deadTasks: jobs.tasks,
  }),
  commands: DEAD_LETTER_COMMANDS,
  queries: [...DEAD_LETTER_QUERIES, ...NODE_QUERIES],
});
