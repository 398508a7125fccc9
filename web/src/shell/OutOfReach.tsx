import type { Problem } from "../problems.ts";

/** What was chosen cannot be joined, and trying again would not help. */
export function OutOfReach({ what, problem }: { what: string; problem: Problem }) {
  return (
    <section class="card card--quiet">
      <h1>This {what} is out of reach</h1>
      <p>{problem.sentence}</p>
      <p>
        <a class="primary" href="#programme">
          See what is on
        </a>
      </p>
    </section>
  );
}
