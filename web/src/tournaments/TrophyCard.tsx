import { Star } from "../art/Star.tsx";
import { Trophy } from "../art/Trophy.tsx";
import { calm } from "../motion.ts";
import { useObservable } from "../observable.ts";
import { pointsText } from "../points.ts";
import { itemsText, ordinal } from "../prizes.ts";
import type { ScoreRow, TournamentSettled } from "../protocol.ts";
import { session } from "../session.ts";
import type { TournamentGame } from "./TournamentGame.ts";

/** Names on the podium. */
const PODIUM = 3;
const CONFETTI = Array.from({ length: 24 }, (_, index) => index);

/** The result: the player's own place and prizes, and who stands on the podium. */
export function TrophyCard({ game, resultHash }: { game: TournamentGame; resultHash: string }) {
  const settled = useObservable(game.settled);
  const { rows, total } = useObservable(game.standings);
  const own = useObservable(session)?.player.id;
  const hasWon = (settled?.prizes.length ?? 0) > 0;

  return (
    <section class="card trophy" aria-labelledby="trophy">
      {hasWon && !calm() && (
        <div class="confetti" aria-hidden="true">
          {CONFETTI.map((index) => (
            <span key={index} />
          ))}
        </div>
      )}
      <Trophy />
      <h2 id="trophy">{title(settled)}</h2>
      {settled && settled.rank !== null && (
        <p class="lead">
          {ordinal(settled.rank)} of {total.toLocaleString("en")}
        </p>
      )}
      {hasWon && (
        <p class="trophy__prize">
          <Star class="trophy__star" />
          {itemsText(settled!.prizes)}
          <Star class="trophy__star" />
        </p>
      )}
      <Podium rows={rows.slice(0, PODIUM)} own={own} />
      {resultHash !== "" && (
        <p class="small seal">
          Sealed result <code title={resultHash}>{resultHash.slice(0, 16)}…</code>: anybody can compute it anew.
        </p>
      )}
    </section>
  );
}

function Podium({ rows, own }: { rows: readonly ScoreRow[]; own: string | undefined }) {
  return (
    <ol class="winners">
      {rows.map((row) => (
        <li key={row.playerId} class={row.playerId === own ? "winner own" : "winner"}>
          <span class={`rank rank--${row.rank}`}>{row.rank}</span>
          <span class="winner__name">
            {row.name}
            {row.playerId === own && <span class="you"> you</span>}
            {row.subscore < 0 && <span class="own-pace">at own pace</span>}
          </span>
          <span class="winner__points">{pointsText(row.score)}</span>
        </li>
      ))}
    </ol>
  );
}

function title(settled: TournamentSettled | undefined): string {
  if (!settled || settled.rank === null) return "The result is in";
  if (settled.rank === 1) return "The trophy is yours!";
  return settled.prizes.length > 0 ? "You are among the winners!" : "Well played!";
}
