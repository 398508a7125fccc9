/** What `GET /readyz` answers with. */
export interface ReadinessReport {
  ready: boolean;
  /** By part: "ready", or why not. */
  parts: Record<string, string>;
}

const READY = "ready";

/** Which parts of this node are up, and whether it is on its way out. */
export class Readiness {
  readonly #parts: Map<string, string>;
  #draining = false;

  /** `parts` are those that must be up before the node takes traffic; each begins as "starting". */
  constructor(parts: readonly string[]) {
    this.#parts = new Map(parts.map((part) => [part, "starting"]));
  }

  /** The part is up. */
  up(part: string): void {
    this.#parts.set(part, READY);
  }

  /** The part is not up; `why` is shown to whoever asks, so it holds no address and no secret. */
  down(part: string, why: string): void {
    this.#parts.set(part, why);
  }

  /** Whether anything is said of this part. */
  tellsOf(part: string): boolean {
    return this.#parts.has(part);
  }

  /** From now on the node is not ready, whatever its parts say. There is no way back. */
  drain(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  report(): ReadinessReport {
    const parts = Object.fromEntries(this.#parts);
    if (this.#draining) parts.node = "draining";
    return { ready: Object.values(parts).every((state) => state === READY), parts };
  }
}
