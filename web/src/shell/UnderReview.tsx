/** In place of the game while operators look at its result. */
export function UnderReview({ of }: { of: string }) {
  return (
    <section class="card card--quiet">
      <h2>The judges are looking twice</h2>
      <p>
        The {of} is over, and its result is under review. Prizes are paid once that is done. There is nothing that you
        need to do.
      </p>
    </section>
  );
}
