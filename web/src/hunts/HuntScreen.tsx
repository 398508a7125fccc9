import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";
import { ChestCard } from "./ChestCard.tsx";
import { Counts } from "./Counts.tsx";
import type { HuntGame } from "./HuntGame.ts";
import { HuntOver } from "./HuntOver.tsx";
import { PhaseBanner } from "./PhaseBanner.tsx";
import { PlayCard } from "./PlayCard.tsx";
import { WaitingForDoors } from "./WaitingForDoors.tsx";

/** One hunt: its phase and countdown, and under it what there is to do in that phase. */
export function HuntScreen({ game, lobby }: { game: HuntGame; lobby: Lobby }) {
  const hunt = useObservable(game.hunt);
  const status = useObservable(game.link.status);

  if (status.at === "refused") {
    return (
      <section class="card card--quiet">
        <h1>This hunt is out of reach</h1>
        <p>{status.problem.sentence}</p>
        <p>
          <a class="primary" href="#programme">
            See what is on
          </a>
        </p>
      </section>
    );
  }
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
      {stage(game, lobby, hunt.phase)}
      <Counts hunt={hunt} />
    </>
  );
}

function stage(game: HuntGame, lobby: Lobby, phase: string) {
  switch (phase) {
    case "scheduled":
    case "discovery":
      return <WaitingForDoors game={game} />;
    case "solving":
      return <PlayCard game={game} />;
    case "reveal":
      return <ChestCard game={game} />;
    case "finished":
      return (
        <>
          <ChestCard game={game} />
          <HuntOver game={game} lobby={lobby} />
        </>
      );
    default:
      return <HuntOver game={game} lobby={lobby} />;
  }
}
