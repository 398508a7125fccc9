import type { TournamentTerms } from "../../entities/tournaments/Tournament.ts";
import { RingmasterError } from "../../errors.ts";
import { Actor, type ActorType, type TimerHandlers } from "../runtime/Actor.ts";
import { nextOfCron } from "../runtime/schedule.ts";
import type { TournamentActor } from "./TournamentActor.ts";

/** What the actor of a series keeps. */
export interface SeriesState {
  /** The first tournament, which all others are made after; absent until there is one. */
  template?: TournamentTerms;
  createdBy: string;
  /** Tournaments so far, the coming one included. */
  count: number;
  /** The tournament that has not begun; null once the series has ended, or its pattern is never due again. */
  coming: { id: string; startsAt: number } | null;
  hasEnded: boolean;
}

/** Tournaments and their series tell each other, and only one of two files can import the other. */
const TOURNAMENT = { kind: "tournament" } as ActorType<TournamentActor>;

/** A tournament's id has 32 characters, and `-n` follows that of its series. */
export const LONGEST_SERIES_ID = 24;

/**
 * A series of tournaments, by the id of its first: sees to it that there always is one that is coming. When that begins or is
 * called off, the next is created, at the first time that the pattern names after both now and the planned start of that one:
 * times that an outage has covered are left out.
 */
export class TournamentSeriesActor extends Actor<SeriesState> {
  static readonly kind = "tournament-series";
  static initial(): SeriesState {
    return { createdBy: "", count: 0, coming: null, hasEnded: false };
  }

  /** The first tournament has been created. Heard late, it changes nothing. */
  async begin(terms: TournamentTerms, createdBy: string): Promise<void> {
    if (this.state.template) return;
    this.state.template = terms;
    this.state.createdBy = createdBy;
    this.state.count = 1;
    this.state.coming = { id: this.id, startsAt: terms.startsAt };
  }

  /** The tournament of these terms has begun or is called off. */
  async goOn(tournamentId: string, terms: TournamentTerms, createdBy: string): Promise<void> {
    // Its message may overtake that of its creation, which came from another node.
    await this.begin(terms, createdBy);
    const { template, coming, hasEnded } = this.state;
    if (coming?.id !== tournamentId) return;
    this.state.coming = null;
    const startsAt = hasEnded ? undefined : this.#nextStart(coming.startsAt);
    if (startsAt === undefined || !template) return;
    this.state.count += 1;
    const id = `${this.id}-${this.state.count}`;
    this.state.coming = { id, startsAt };
    const endsAt = this.#endOf(startsAt, template);
    this.send(TOURNAMENT, id).create({ ...template, startsAt, endsAt }, this.state.createdBy, this.id);
  }

  /**
   * No further tournament is created; the one that is coming takes place unless it is called off. Answers its id, null when there
   * is none. Throws `not_found` when there is no such series.
   */
  async endSeries(): Promise<{ coming: string | null }> {
    if (!this.state.template) throw new RingmasterError("not_found", `There is no series ${this.id}.`);
    this.state.hasEnded = true;
    return { coming: this.state.coming?.id ?? null };
  }

  readonly timers: TimerHandlers = {};

  /** A pattern that names no further time leaves the last one with the length of the first. */
  #endOf(startsAt: number, { series, ...first }: TournamentTerms): number {
    const next = series?.duration === "untilNext" ? nextOfCron(series.cron, series.timezone, startsAt) : undefined;
    return next ?? startsAt + (first.endsAt - first.startsAt);
  }

  #nextStart(after: number): number | undefined {
    const series = this.state.template?.series;
    if (!series) return undefined;
    return nextOfCron(series.cron, series.timezone, Math.max(after, this.now));
  }
}
