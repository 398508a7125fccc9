import { useEffect, useState } from "preact/hooks";
import { Lobby } from "./lobby/Lobby.ts";
import { useObservable } from "./observable.ts";
import { session } from "./session.ts";
import { Announcer } from "./shell/Announcer.tsx";
import { Ring } from "./shell/Ring.tsx";
import { Welcome } from "./shell/Welcome.tsx";

/** The page: the welcome until somebody has signed in, then the ring. */
export function App() {
  const signedIn = useObservable(session) !== undefined;
  const [lobby, setLobby] = useState<Lobby>();

  useEffect(() => {
    if (!signedIn) return;
    const opened = new Lobby(session.value!);
    setLobby(opened);
    return () => {
      opened.close();
      setLobby(undefined);
    };
  }, [signedIn]);

  return (
    <>
      {lobby ? <Ring lobby={lobby} /> : signedIn ? null : <Welcome />}
      <Announcer />
    </>
  );
}
