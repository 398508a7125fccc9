import { useEffect, useState } from "preact/hooks";
import { HuntGame } from "../hunts/HuntGame.ts";
import { HuntScreen } from "../hunts/HuntScreen.tsx";
import { Standings } from "../hunts/Standings.tsx";
import { Feed } from "../lobby/Feed.tsx";
import type { Lobby } from "../lobby/Lobby.ts";
import { Popup } from "../lobby/Popup.tsx";
import { Programme } from "../lobby/Programme.tsx";
import { type Choice, choiceInAddress, choose } from "../lobby/programme.ts";
import { Connections } from "../me/Connections.tsx";
import { Quests } from "../me/Quests.tsx";
import { Things } from "../me/Things.tsx";
import { useObservable } from "../observable.ts";
import { Pools } from "../pools/Pools.tsx";
import { session } from "../session.ts";
import { TournamentGame } from "../tournaments/TournamentGame.ts";
import { TournamentScreen } from "../tournaments/TournamentScreen.tsx";
import { TournamentStandings } from "../tournaments/TournamentStandings.tsx";
import { ConnectionBanner } from "./ConnectionBanner.tsx";
import { Header } from "./Header.tsx";
import { NothingOn } from "./NothingOn.tsx";
import { RenewalBanner } from "./RenewalBanner.tsx";

/** The page of somebody who has signed in: the programme on top, what was chosen from it in the middle, the house around it. */
export function Ring({ lobby }: { lobby: Lobby }) {
  const chosen = useChoice(lobby);
  const game = useGame(chosen);

  return (
    <>
      <Header points={game?.points} />
      <ConnectionBanner link={game?.link ?? lobby.link} kept={game instanceof TournamentGame ? "score" : "clue"} />
      <RenewalBanner />
      <Popup lobby={lobby} />
      <main class="ring">
        <Programme lobby={lobby} chosen={chosen} />
        <div class="ring__stage">
          {game instanceof HuntGame && <HuntScreen key={game.huntId} game={game} lobby={lobby} />}
          {game instanceof TournamentGame && <TournamentScreen key={game.tournamentId} game={game} lobby={lobby} />}
          {!game && <NothingOn lobby={lobby} />}
        </div>
        <aside class="ring__side" aria-label="Standings and your things">
          {game instanceof HuntGame && <Standings game={game} />}
          {game instanceof TournamentGame && <TournamentStandings game={game} />}
          <Things lobby={lobby} game={game} />
        </aside>
        <div class="ring__house">
          <Quests lobby={lobby} />
          <Connections lobby={lobby} />
          <Pools lobby={lobby} />
          <Feed lobby={lobby} />
        </div>
      </main>
    </>
  );
}

type Game = HuntGame | TournamentGame;

/** The game of what was chosen, for as long as it is. */
function useGame(chosen: Choice | undefined): Game | undefined {
  const [game, setGame] = useState<Game>();
  const [domain, id] = [chosen?.domain, chosen?.id];
  useEffect(() => {
    if (domain === undefined || id === undefined) return;
    const Joined = domain === "hunts" ? HuntGame : TournamentGame;
    const joined = new Joined(session.value!, id);
    setGame(joined);
    return () => {
      joined.close();
      setGame(undefined);
    };
  }, [domain, id]);
  return game;
}

/** What the address names, else the first thing that the lobby offered: it stays until the player chooses another. */
function useChoice(lobby: Lobby): Choice | undefined {
  const [addressed, setAddressed] = useState(choiceInAddress);
  const [offered, setOffered] = useState<Choice>();
  const on = useObservable(lobby.on);
  const coming = useObservable(lobby.coming);

  useEffect(() => {
    const read = (): void => setAddressed(choiceInAddress());
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  useEffect(() => {
    if (offered === undefined) setOffered(choose(on ?? [], coming));
  }, [offered, on, coming]);

  return addressed ?? offered;
}
