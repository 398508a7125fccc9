import type { Room } from "@colyseus/sdk";
import { announce, announcePause, announceReview } from "../announcer.ts";
import { RoomLink } from "../connection.ts";
import { Observable } from "../observable.ts";
import { isAway, type Problem } from "../problems.ts";
import type {
  ChestOpened,
  ClaimAnswer,
  Clue,
  HuntState,
  OwnStanding,
  PhaseTold,
  Position,
  Revoked,
  SolveAnswer,
  Standing,
  Winner,
} from "../protocol.ts";
import { randomId } from "../randomId.ts";
import { ServerClock } from "../serverClock.ts";
import { type Session, session } from "../session.ts";
import { keepPlay, keptPlay } from "./kept.ts";
import { OwnRank } from "./OwnRank.ts";
import { PauseTimes } from "./PauseTimes.ts";
import {
  attemptsText,
  BEGUN,
  type Closing,
  closingText,
  isPlayable,
  type Play,
  refusedPlay,
  type Sending,
} from "./play.ts";

/** The room's state as plain values, replaced as a whole with every patch. */
export type HuntView = Omit<HuntState, "top"> & { top: Standing[] };

/** One player's game in one hunt: the room behind it, the open clue, and what survives a lost connection. */
export class HuntGame {
  readonly huntId: string;
  readonly clock = new ServerClock();
  readonly link: RoomLink<HuntState>;
  readonly hunt = new Observable<HuntView | undefined>(undefined);
  readonly play = new Observable<Play>({ at: "idle" });
  readonly winners = new Observable<Winner[] | undefined>(undefined);
  /** This player's points in this hunt. */
  readonly points = new Observable(0);
  readonly pauses = new PauseTimes();
  readonly rank = new OwnRank(() => this.link.request<OwnStanding>("standing", {}));
  /** What is typed for the open clue. */
  draft = "";
  #playerId: string;
  #turn = 0;
  /** The answer that may have counted unheard: sent once more by hand, it keeps its id. */
  #unjudged: (Sending & { assignmentId: string }) | undefined;

  constructor(owner: Session, huntId: string) {
    this.huntId = huntId;
    this.#playerId = owner.player.id;
    this.play.subscribe(() => this.#keep());
    this.rank.standing.subscribe((standing) => standing && this.#score(standing.points));
    this.link = new RoomLink<HuntState>(owner, "hunt", () => ({ huntId }), {
      joined: (room) => this.#listen(room),
      ready: () => {
        void this.clock.observeHttp();
        void this.#resume();
        this.rank.look();
      },
      renewed: ({ id }) => this.#playAs(id),
      state: (state) => this.#read(state),
    });
  }

  /** Leaves for good: with it the open clue and the place in the queue go to others. */
  close(): void {
    this.rank.close();
    this.link.close();
    keepPlay(this.#playerId, this.huntId, undefined);
  }

  /** Takes note of what is typed for the open clue, so that a reload does not lose it. */
  type(draft: string): void {
    this.draft = draft;
    this.#keep();
  }

  /** Asks for a clue, or for the one that is still open. */
  async claim(): Promise<void> {
    const { value: play } = this.play;
    if (play.at === "asking") return;
    this.play.set(play.at === "closed" ? { at: "asking", after: play } : { at: "asking" });
    try {
      this.#take(await this.link.request<ClaimAnswer>("claim", {}));
    } catch (error) {
      const problem = error as Problem;
      // Still "asking" once the room is back: then it is asked again.
      if (!isAway(problem)) this.play.set(refusedPlay(problem, this.clock.now()));
    }
  }

  /** Gives the open clue back, unless an answer to it is on its way. */
  async giveBack(): Promise<void> {
    const play = this.play.value;
    if (play.at !== "clue" || play.sending || play.isReturning) return;
    this.play.set({ ...play, isReturning: true });
    await this.#return(play.clue);
  }

  async #return(clue: Clue): Promise<void> {
    try {
      await this.link.request("giveBack", { assignmentId: clue.assignmentId });
      if (this.#isOpen(clue)) this.#closeClue(clue, { how: "returned" });
    } catch (error) {
      this.#requestFailed(clue, error as Problem);
    }
  }

  /** Gives the place in the queue up. */
  async leaveQueue(): Promise<void> {
    const play = this.play.value;
    if (play.at !== "waiting" || play.isLeaving) return;
    this.play.set({ at: "waiting", position: play.position, isLeaving: true });
    await this.#leave();
  }

  async #leave(): Promise<void> {
    try {
      await this.link.request("leaveQueue", {});
      this.#left();
    } catch (error) {
      const problem = error as Problem;
      const play = this.play.value;
      // Still "leaving" once the room is back: then it is said again.
      if (play.at !== "waiting" || isAway(problem)) return;
      this.play.set({ at: "waiting", position: play.position, problem: problem.sentence });
    }
  }

  #left(): void {
    if (this.play.value.at !== "waiting") return;
    announce("You have left the queue.");
    this.play.set({ at: "idle" });
  }

  /** Sends an answer to the open clue. */
  async solve(answer: string): Promise<void> {
    const play = this.play.value;
    if (play.at !== "clue" || play.sending || play.isReturning) return;
    const { assignmentId } = play.clue;
    const before = this.#unjudged;
    const isAgain = before?.assignmentId === assignmentId && before.answer === answer;
    this.#unjudged = { assignmentId, answer, requestId: isAgain ? before.requestId : randomId() };
    this.play.set({ ...play, sending: this.#unjudged });
    await this.#send(play.clue, this.#unjudged);
  }

  /** Sends an answer for the first time, or again: by its id it is judged once. */
  async #send(clue: Clue, { answer, requestId }: Sending): Promise<void> {
    try {
      const { assignmentId } = clue;
      this.#judge(clue, await this.link.request<SolveAnswer>("solve", { assignmentId, answer, requestId }));
    } catch (error) {
      this.#requestFailed(clue, error as Problem);
    }
  }

  /** The clue's time is over by this page's countdown; the server says so too, but its word may be lost. */
  timeUp(assignmentId: string): void {
    const open = this.#openClue();
    if (open?.clue.assignmentId === assignmentId && open.sending === undefined && this.pauses.isKnown) {
      this.#closeClue(open.clue, { how: "expired" });
    }
  }

  #listen(room: Room<unknown, HuntState>): void {
    room.onMessage("phase", (told: PhaseTold) => {
      this.pauses.hear(told);
      const open = this.#openClue();
      if (open) this.play.set({ ...open, clue: this.pauses.shifted(open.clue) });
    });
    room.onMessage("clue", (clue: Clue) => {
      if (this.play.value.at === "waiting") announce("Your clue is here.");
      this.#take(clue);
    });
    room.onMessage("position", ({ position }: Position) => this.#move(position));
    room.onMessage("exhausted", () => this.#exhausted());
    room.onMessage("left", () => this.#left());
    room.onMessage("revoked", ({ assignmentId }: Revoked) => {
      const open = this.#openClue();
      if (open?.clue.assignmentId === assignmentId) this.#closeClue(open.clue, this.#revoked(open));
    });
    room.onMessage("chest", ({ winners }: ChestOpened) => {
      const isNews = this.winners.value === undefined;
      this.winners.set(winners);
      // A client that comes back is told again.
      if (!isNews) return;
      const names = winners.map(({ rank, name, points }) => `${rank}: ${name}, ${points} points`).join("; ");
      announce(`The chest is open. ${names || "Nobody scored this time."}`);
    });
  }

  /** Why the server takes the clue: also because another of this player's tabs has given it back, or has used the last attempt up. */
  #revoked({ clue, sending, isReturning }: Play & { at: "clue" }): Closing {
    if (isReturning) return { how: "returned" };
    if (clue.expiresAt <= this.clock.now() + 1000) return { how: "expired" };
    return { how: sending || clue.attemptsLeft === 1 ? "exhausted" : "returned" };
  }

  #read(state: HuntState): void {
    const {
      phase: before,
      solved: solvedBefore,
      pausedAt: pausedBefore,
      reviewSince: reviewedBefore,
    } = this.hunt.value ?? {};
    this.clock.observe(state.serverNow);
    const { huntId, name, phase, endsAt, startsAt, players, open, solved, total, waiting, serverNow } = state;
    const { pausedAt, resumesAt, reviewSince, cancelReason = "" } = state;
    const top = [...state.top].map(({ rank, playerId, name, points }) => ({ rank, playerId, name, points }));
    const counts = { players, open, solved, total, waiting };
    const times = { endsAt, startsAt, pausedAt, resumesAt, reviewSince, serverNow };
    this.hunt.set({ huntId, name, phase, ...times, ...counts, cancelReason, top });
    const own = top.find(({ playerId }) => playerId === session.value?.player.id);
    if (own) this.#score(own.points);
    if (phase !== before || solved !== solvedBefore) this.rank.lookSoon();
    announcePause("hunt", pausedBefore, pausedAt);
    announceReview("hunt", reviewedBefore, reviewSince);
    if (reviewSince > 0) this.play.set({ at: "idle" });
    if (phase === before) return;
    if (before !== undefined && BEGUN[phase]) announce(BEGUN[phase]);
    if (!isPlayable(phase)) this.play.set({ at: "idle" });
    else if (before === undefined && reviewSince === 0) this.#restore();
  }

  /** An earlier visit left a clue open, or waiting: it goes on. By now the server's time is known, by which a clue ends. */
  #restore(): void {
    const kept = this.play.value.at === "idle" ? keptPlay(this.#playerId, this.huntId) : undefined;
    if (kept?.at === "waiting") return void this.claim();
    if (kept?.at !== "clue") return;
    const { lifetime, sending } = kept;
    const clue = this.pauses.shifted(kept.clue);
    this.draft = kept.draft;
    if (sending) this.#unjudged = { assignmentId: clue.assignmentId, ...sending };
    this.play.set({ at: "clue", clue, lifetime, sending: this.#unjudged });
    if (sending) void this.#send(clue, sending);
  }

  #keep(): void {
    const play = this.play.value;
    const { draft } = this;
    if (play.at === "clue") {
      const { clue, lifetime, sending } = play;
      const answer = sending && { answer: sending.answer, requestId: sending.requestId };
      keepPlay(this.#playerId, this.huntId, { at: "clue", clue, lifetime, draft, sending: answer });
    } else {
      const isWaiting = (play.at === "waiting" && !play.isLeaving) || play.at === "asking";
      keepPlay(this.#playerId, this.huntId, isWaiting ? { at: "waiting" } : undefined);
    }
  }

  /** The open clue is the former player's. */
  #playAs(playerId: string): void {
    this.#playerId = playerId;
    this.points.set(0);
    this.rank.forget();
    const open = this.#openClue();
    if (open) this.#closeClue(open.clue, { how: "lost" });
  }

  /**
   * The room is (back) within reach: what hung in the air is asked again. An open clue stays as it is: a claim would give
   * another one where that has closed, which its player has not asked for.
   */
  async #resume(): Promise<void> {
    const play = this.play.value;
    if (play.at === "clue" && play.sending) return this.#send(play.clue, play.sending);
    if (play.at === "clue" && play.isReturning) return this.#return(play.clue);
    if (play.at === "waiting" && play.isLeaving) return this.#leave();
    if (play.at !== "waiting" && play.at !== "asking") return;
    try {
      this.#take(await this.link.request<ClaimAnswer>("claim", {}));
    } catch (error) {
      const problem = error as Problem;
      if (!isAway(problem)) this.play.set(refusedPlay(problem, this.clock.now()));
    }
  }

  #take(answer: ClaimAnswer): void {
    if ("waiting" in answer && answer.exhausted) this.#exhausted();
    else if ("waiting" in answer) {
      announce(`No clue is free. You are number ${answer.position} in the queue.`);
      this.play.set({ at: "waiting", position: answer.position });
    } else if (this.#openClue()?.clue.assignmentId !== answer.assignmentId) {
      this.draft = "";
      this.play.set({
        at: "clue",
        clue: this.pauses.told(answer),
        lifetime: Math.max(1, answer.expiresAt - this.clock.now()),
      });
    }
  }

  /** Only the last step is read out: a long queue moves every second. */
  #move(position: number): void {
    const play = this.play.value;
    if (play.at !== "waiting" || play.position === position) return;
    if (position === 1) announce("You are next in the queue.");
    this.play.set({ ...play, position });
  }

  #exhausted(): void {
    announce("You have had every clue that there is for you.");
    this.play.set({ at: "exhausted" });
  }

  #judge(clue: Clue, { correct, points, total, attemptsLeft }: SolveAnswer): void {
    this.#unjudged = undefined;
    this.#score(total);
    if (correct) this.#closeClue(clue, { how: "solved", points });
    else if (attemptsLeft <= 0) this.#closeClue(clue, { how: "exhausted" });
    else if (this.#isOpen(clue)) {
      const text = `“${this.#openClue()?.sending?.answer}” is not it. ${attemptsText(attemptsLeft)}`;
      this.#tell(text, attemptsLeft);
    }
  }

  #requestFailed(clue: Clue, problem: Problem): void {
    // What was asked stays on its way until the room is back.
    if (isAway(problem) || !this.#isOpen(clue)) return;
    if (problem.code === "unknown_assignment") this.#closeClue(clue, { how: "lost" });
    else if (problem.code === "wrong_phase") this.play.set(refusedPlay(problem, this.clock.now()));
    else this.#tell(problem.sentence);
  }

  /** Ends what was asked about the open clue with a sentence about it; the clue stays open. */
  #tell(text: string, attemptsLeft?: number): void {
    const open = this.#openClue();
    if (!open) return;
    this.#turn += 1;
    announce(text);
    const clue = attemptsLeft === undefined ? open.clue : { ...open.clue, attemptsLeft };
    this.play.set({ at: "clue", clue, lifetime: open.lifetime, decision: { turn: this.#turn, text } });
  }

  #closeClue(clue: Clue, closing: Closing): void {
    const { value: play } = this.play;
    // The last wrong answer is told twice: by its answer and by "revoked".
    const isTold = play.at === "closed" && play.clue.assignmentId === clue.assignmentId;
    if (isTold && play.closing.how === closing.how) return;
    announce(closingText(closing));
    this.play.set({ at: "closed", clue, closing });
  }

  #isOpen({ assignmentId }: Clue): boolean {
    return this.#openClue()?.clue.assignmentId === assignmentId;
  }

  #openClue(): (Play & { at: "clue" }) | undefined {
    const play = this.play.value;
    return play.at === "clue" ? play : undefined;
  }

  #score(points: number): void {
    if (points <= this.points.value) return;
    this.points.set(points);
    if (points > (this.rank.standing.value?.points ?? 0)) this.rank.look();
  }
}
