import { useEffect } from "preact/hooks";
import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";
import { OutOfReach } from "../shell/OutOfReach.tsx";
import { UnderReview } from "../shell/UnderReview.tsx";
import { PlayStage } from "./PlayStage.tsx";
import { PrizeTable } from "./PrizeTable.tsx";
import { TournamentBanner } from "./TournamentBanner.tsx";
import { PLAYABLE_GAME, type TournamentGame, type TournamentView } from "./TournamentGame.ts";
import { Counting, TournamentOver } from "./TournamentOver.tsx";
import { TrophyCard } from "./TrophyCard.tsx";

/** One tournament: its phase and countdown, the game while scores count, and what came of it. */
export function TournamentScreen({ game, lobby }: { game: TournamentGame; lobby: Lobby }) {
  const tournament = useObservable(game.tournament);
  const status = useObservable(game.link.status);
  const name = tournament?.name;
  useEffect(() => {
    document.title = `${name === undefined ? "" : `${name} · `}Ringmaster`;
  }, [name]);

  if (status.at === "refused") return <OutOfReach what="tournament" problem={status.problem} />;
  if (!tournament) {
    return (
      <section class="card card--quiet" aria-busy="true">
        <h1>Taking you to your seat…</h1>
      </section>
    );
  }
  return (
    <>
      <TournamentBanner tournament={tournament} clock={game.clock} />
      <Stage game={game} lobby={lobby} tournament={tournament} />
      <PrizeTable prizes={tournament.prizes} />
    </>
  );
}

function Stage(props: { game: TournamentGame; lobby: Lobby; tournament: TournamentView }) {
  const { game, lobby, tournament } = props;
  const { phase, reviewSince } = tournament;
  if (phase === "settling") return reviewSince > 0 ? <UnderReview of="tournament" /> : <Counting />;
  if (phase === "settled") {
    return (
      <>
        <TrophyCard game={game} resultHash={tournament.resultHash} />
        <TournamentOver game={game} lobby={lobby} phase={phase} />
      </>
    );
  }
  if (phase === "cancelled") return <TournamentOver game={game} lobby={lobby} phase={phase} />;
  if (tournament.game !== PLAYABLE_GAME) {
    return (
      <section class="card card--quiet">
        <h2>This one is played elsewhere</h2>
        <p>Its game has a stage of its own. Here you can follow the standings as they change.</p>
      </section>
    );
  }
  return <PlayStage game={game} phase={phase} />;
}
