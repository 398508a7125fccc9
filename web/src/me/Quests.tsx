import { useCallback, useEffect, useState } from "preact/hooks";
import { announce } from "../announcer.ts";
import { api } from "../api.ts";
import { countdownText, useServerNow } from "../countdown.ts";
import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";
import { itemsText } from "../prizes.ts";
import type { Problem } from "../problems.ts";
import type { Quest } from "../protocol.ts";
import type { ServerClock } from "../serverClock.ts";

/** What can be done beside the events, and how it stands. */
export function Quests({ lobby }: { lobby: Lobby }) {
  const { quests, start, problem } = useQuests(lobby);
  if (quests.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="quests">
      <h2 id="quests">Quests</h2>
      <ul class="quests">
        {quests.map((quest) => (
          <li key={quest.id} class="quest" data-state={quest.state}>
            <span class="quest__title">{quest.title}</span>
            <span class="quest__reward">{quest.rewards.length > 0 && itemsText(quest.rewards)}</span>
            <QuestState quest={quest} clock={lobby.clock} start={start} />
          </li>
        ))}
      </ul>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}

function QuestState(props: { quest: Quest; clock: ServerClock; start: (quest: Quest) => void }) {
  const { quest, clock, start } = props;
  if (quest.state === "active") return <span class="tag">Under way</span>;
  if (quest.state === "scheduled") return <Reward dueAt={quest.dueAt ?? 0} clock={clock} />;
  if (quest.state === "completed" && !quest.repeatable) return <span class="tag tag--done">✓ Done</span>;
  return (
    <button class="quiet" type="button" onClick={() => start(quest)}>
      {quest.state === "open" ? "Take it on" : "Once more"}
      <span class="unseen">: {quest.title}</span>
    </button>
  );
}

function Reward({ dueAt, clock }: { dueAt: number; clock: ServerClock }) {
  const now = useServerNow(clock);
  return <span class="tag">Reward in {countdownText(dueAt - now)}</span>;
}

/** Read after the lobby was joined, so that no change is missed, and with each change that it tells of. */
function useQuests(lobby: Lobby): { quests: Quest[]; start: (quest: Quest) => void; problem: string } {
  const [quests, setQuests] = useState<Quest[]>([]);
  const [problem, setProblem] = useState("");
  const joins = useObservable(lobby.joins);
  const news = useObservable(lobby.quest);

  const read = useCallback(async (): Promise<void> => {
    setQuests((await api<{ quests: Quest[] }>("/api/me/quests")).quests);
  }, []);
  const start = ({ id }: Quest): void => {
    setProblem("");
    api(`/api/me/quests/${id}/start`, "POST")
      .then(read)
      .catch(({ sentence }: Problem) => setProblem(sentence));
  };
  useEffect(() => {
    // Without an answer the list stays as it is: it is read again with the next change, or when the lobby is back.
    if (joins > 0) read().catch(() => undefined);
  }, [joins, news, read]);
  useEffect(() => {
    if (news?.state === "completed") announce(`A quest is done. You receive ${itemsText(news.rewards)}.`);
  }, [news]);
  return { quests, start, problem };
}
