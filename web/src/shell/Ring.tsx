import { useEffect, useState } from "preact/hooks";
import { HuntGame } from "../hunts/HuntGame.ts";
import { HuntScreen } from "../hunts/HuntScreen.tsx";
import { Standings } from "../hunts/Standings.tsx";
import { Feed } from "../lobby/Feed.tsx";
import type { Lobby } from "../lobby/Lobby.ts";
import { Programme } from "../lobby/Programme.tsx";
import { choose, huntInAddress } from "../lobby/programme.ts";
import { useObservable } from "../observable.ts";
import { session } from "../session.ts";
import { ConnectionBanner } from "./ConnectionBanner.tsx";
import { Header } from "./Header.tsx";
import { NothingOn } from "./NothingOn.tsx";

/** The page of somebody who has signed in: the chosen hunt in the middle, the standings and the programme beside it. */
export function Ring({ lobby }: { lobby: Lobby }) {
  const huntId = useChosenHunt(lobby);
  const [game, setGame] = useState<HuntGame>();

  useEffect(() => {
    if (huntId === undefined) return;
    const joined = new HuntGame(session.value!, huntId);
    setGame(joined);
    return () => {
      joined.close();
      setGame(undefined);
    };
  }, [huntId]);

  return (
    <>
      <Header game={game} />
      <ConnectionBanner link={game?.link ?? lobby.link} />
      <main class="ring">
        <div class="ring__stage">
          {game ? <HuntScreen key={game.huntId} game={game} lobby={lobby} /> : <NothingOn lobby={lobby} />}
        </div>
        {game && (
          <aside class="ring__side" aria-labelledby="standings">
            <Standings game={game} />
          </aside>
        )}
        <div class="ring__house">
          <Programme lobby={lobby} huntId={huntId} />
          <Feed lobby={lobby} />
        </div>
      </main>
    </>
  );
}

/** The hunt in the address, else the first one that the lobby offered: it stays until the player chooses another. */
function useChosenHunt(lobby: Lobby): string | undefined {
  const [addressed, setAddressed] = useState(huntInAddress);
  const [offered, setOffered] = useState<string>();
  const on = useObservable(lobby.on);
  const coming = useObservable(lobby.coming);

  useEffect(() => {
    const read = (): void => setAddressed(huntInAddress());
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  useEffect(() => {
    if (offered === undefined) setOffered(choose(on ?? [], coming)?.id);
  }, [offered, on, coming]);

  return addressed ?? offered;
}
