import { countdownText, useServerNow } from "../countdown.ts";
import type { Lobby } from "../lobby/Lobby.ts";
import { addressOf, type Choice, chooseAfter } from "../lobby/programme.ts";
import { useObservable } from "../observable.ts";

/** The way from something that is over to what is on, or comes next. */
export function WhatNext({ lobby, done }: { lobby: Lobby; done: Choice }) {
  const next = chooseAfter(done, useObservable(lobby.on) ?? [], useObservable(lobby.coming));
  const now = useServerNow(lobby.clock);
  if (!next) return <p class="small">What comes next appears in the programme as soon as it is announced.</p>;
  return (
    <p>
      <a class="primary" href={addressOf(next)}>
        {next.phase === "scheduled" ? `${next.name}, in ${countdownText(next.startsAt - now)}` : `Join ${next.name}`}
      </a>
    </p>
  );
}
