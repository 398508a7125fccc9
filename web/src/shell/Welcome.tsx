import { useState } from "preact/hooks";
import bigTop from "../art/bigTop.svg";
import { suggestName } from "../names.ts";
import { problemOf } from "../problems.ts";
import { NAME_LENGTH, signIn } from "../session.ts";

/** The first screen: a name, and in you go. */
export function Welcome() {
  const [name, setName] = useState(suggestName);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    const wanted = name.trim();
    if (busy) return;
    if (!wanted) return setProblem("Please tell us a name first.");
    setBusy(true);
    setProblem("");
    await signIn(wanted).catch((error: unknown) => {
      const { code, sentence } = problemOf(error);
      setProblem(code === "offline" ? "The server cannot be reached. Please try again in a moment." : sentence);
      setBusy(false);
    });
  };

  return (
    <main class="welcome">
      <img class="welcome__art" src={bigTop} alt="" width="560" height="420" />
      <div class="welcome__words">
        <p class="eyebrow">Step right up</p>
        <h1>Ringmaster</h1>
        <p class="lead">
          Treasure hunts and tournaments, live. Claim a clue, answer before its time runs out, or lead the parade to the
          prizes.
        </p>
        <form class="welcome__form" onSubmit={enter} noValidate>
          <label for="name">Your name in the ring</label>
          <div class="field">
            <input
              id="name"
              name="name"
              value={name}
              maxLength={NAME_LENGTH}
              autoComplete="nickname"
              spellcheck={false}
              aria-invalid={problem !== ""}
              aria-describedby="name-problem"
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <button class="quiet" type="button" onClick={() => setName(suggestName())}>
              Another name
            </button>
          </div>
          <p id="name-problem" class="problem" role="alert">
            {problem}
          </p>
          <button class="primary primary--large" type="submit" aria-disabled={busy}>
            {busy ? "Opening the tent…" : "Enter the ring"}
          </button>
        </form>
        <p class="small">No account, no e-mail. The name is kept in this browser.</p>
      </div>
    </main>
  );
}
