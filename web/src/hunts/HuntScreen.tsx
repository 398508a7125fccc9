import { useEffect } from "preact/hooks";
import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";
import { OutOfReach } from "../shell/OutOfReach.tsx";
import { UnderReview } from "../shell/UnderReview.tsx";
import { ChestCard } from "./ChestCard.tsx";
import { Counts } from "./Counts.tsx";
import type { HuntGame, HuntView } from "./HuntGame.ts";
import { HuntOver } from "./HuntOver.tsx";
import { PhaseBanner } from "./PhaseBanner.tsx";
import { PlayCard } from "./PlayCard.tsx";
import { WaitingForDoors } from "./WaitingForDoors.tsx";

/** One hunt: its phase and countdown, and under it what there is to do in that phase. */
export function HuntScreen({ game, lobby }: { game: HuntGame; lobby: Lobby }) {
  const hunt = useObservable(game.hunt);
  const status = useObservable(game.link.status);
  const hasClue = useObservable(game.play).at === "clue";
  const name = hunt?.name;
  useEffect(() => {
    document.title = `${hasClue ? "● Your clue · " : ""}${name === undefined ? "" : `${name} · `}Ringmaster`;
  }, [name, hasClue]);

  if (status.at === "refused") return <OutOfReach what="hunt" problem={status.problem} />;
  if (!hunt) {
    return (
      <section class="card card--quiet" aria-busy="true">
        <h1>Taking you to your seat…</h1>
      </section>
    );
  }
  return (
    <>
      <PhaseBanner hunt={hunt} clock={game.clock} />
      {stage(game, lobby, hunt)}
      <Counts hunt={hunt} />
    </>
  );
}

/** The chest keeps its place when the hunt ends, so that it does not open a second time. */
function stage(game: HuntGame, lobby: Lobby, { phase, reviewSince }: HuntView) {
  return (
    <>
      {(phase === "scheduled" || phase === "discovery") && <WaitingForDoors game={game} />}
      {phase === "solving" && (reviewSince > 0 ? <UnderReview of="hunt" /> : <PlayCard game={game} />)}
      {(phase === "reveal" || phase === "finished") && <ChestCard game={game} />}
      {(phase === "finished" || phase === "cancelled") && <HuntOver game={game} lobby={lobby} />}
    </>
  );
}
