import { useCallback, useEffect, useState } from "preact/hooks";
import { announce } from "../announcer.ts";
import { api } from "../api.ts";
import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";
import { type Problem, problemOf } from "../problems.ts";
import type { Links } from "../protocol.ts";
import { canSign, signWithNewKey } from "./signing.ts";

/** The longest id of an exchange. */
const EXCHANGE_LENGTH = 32;

/** Asks for a change of the links; tells `done` when it is made. */
type Change = (ask: () => Promise<Links>, done: string) => void;

/** The player's wallet and exchange, which quests ask for. */
export function Connections({ lobby }: { lobby: Lobby }) {
  const { links, change, isBusy, problem } = useLinks(lobby);
  if (!links) return null;
  return (
    <section class="panel" aria-labelledby="connections">
      <h2 id="connections">Wallet and exchange</h2>
      <Wallet wallet={links.wallet} change={change} isBusy={isBusy} />
      <Exchange exchange={links.exchange} change={change} isBusy={isBusy} />
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}

function Wallet({ wallet, change, isBusy }: { wallet: Links["wallet"]; change: Change; isBusy: boolean }) {
  if (wallet) {
    const disconnect = (): Promise<Links> => api<Links>("/api/me/wallet/disconnect", "POST");
    return (
      <div class="connection">
        <p class="connection__now">
          Connected: <code title={wallet.address}>{shortened(wallet.address)}</code>
        </p>
        <button
          class="quiet"
          type="button"
          aria-disabled={isBusy}
          onClick={() => change(disconnect, "The wallet is disconnected.")}
        >
          Disconnect the wallet
        </button>
      </div>
    );
  }
  return (
    <div class="connection">
      <p id="wallet-how" class="small">
        This is a demonstration, with a wallet that holds nothing: your browser makes a new Ed25519 key pair, signs a
        text from the server with it, and sends the signature and the public key. The public key becomes your wallet’s
        address. The private key never leaves the browser, and is forgotten right after.
      </p>
      {canSign ? (
        <button
          class="quiet"
          type="button"
          aria-disabled={isBusy}
          aria-describedby="wallet-how"
          onClick={() => change(connectWallet, "The wallet is connected.")}
        >
          {isBusy ? "One moment…" : "Make a key and connect it"}
        </button>
      ) : (
        <p class="small">Your browser makes keys only on pages that came over HTTPS.</p>
      )}
    </div>
  );
}

function Exchange({ exchange, change, isBusy }: { exchange: string | null; change: Change; isBusy: boolean }) {
  const [typed, setTyped] = useState("");
  const id = exchangeId(typed);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (id === "") return;
    change(() => api<Links>("/api/me/exchange", "POST", { exchange: id }), `Your exchange is ${id}.`);
    setTyped("");
  };
  return (
    <form class="connection" onSubmit={submit}>
      <label for="exchange">Your exchange</label>
      {exchange !== null && (
        <p class="connection__now">
          Chosen: <strong>{exchange}</strong>
        </p>
      )}
      <div class="field">
        <input
          id="exchange"
          value={typed}
          maxLength={EXCHANGE_LENGTH}
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          aria-describedby="exchange-how"
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button class="quiet" type="submit" aria-disabled={isBusy || id === ""}>
          Choose it
        </button>
      </div>
      <p id="exchange-how" class="small">
        Its name is noted, and nothing else: letters, digits and hyphens.
      </p>
    </form>
  );
}

/** "My Exchange!" is `my-exchange`. */
export function exchangeId(typed: string): string {
  const words = typed.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join("-").slice(0, EXCHANGE_LENGTH);
}

async function connectWallet(): Promise<Links> {
  const { challenge } = await api<{ challenge: string }>("/api/me/wallet/challenge", "POST");
  return await api<Links>("/api/me/wallet", "POST", await signWithNewKey(challenge));
}

function shortened(address: string): string {
  return address.length > 20 ? `${address.slice(0, 8)}…${address.slice(-8)}` : address;
}

/** Read whenever the lobby was joined; after a change that failed too, for its answer alone may have been lost. */
function useLinks(lobby: Lobby) {
  const [links, setLinks] = useState<Links>();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const joins = useObservable(lobby.joins);

  const read = useCallback(async (): Promise<void> => setLinks(await api<Links>("/api/me/wallet")), []);
  useEffect(() => {
    if (joins > 0) read().catch(() => undefined);
  }, [joins, read]);

  const change: Change = (ask, done) => {
    if (isBusy) return;
    setBusy(true);
    setProblem("");
    ask()
      .then((changed) => {
        setLinks(changed);
        announce(done);
      })
      .catch((error: unknown) => {
        setProblem(sentenceOf(error));
        return read().catch(() => undefined);
      })
      .finally(() => setBusy(false));
  };
  return { links, change, isBusy, problem };
}

function sentenceOf(error: unknown): string {
  if (error instanceof DOMException) return "Your browser has no Ed25519 keys, so it cannot make a wallet here.";
  const { sentence } = "sentence" in (error as object) ? (error as Problem) : problemOf(error);
  return sentence;
}
