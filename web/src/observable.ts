import { useEffect, useState } from "preact/hooks";

/** A value that tells who watches it when it is set. */
export class Observable<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  /** Hears every value set from now on; the returned function ends it. */
  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** The observable's value, rendering the component again whenever it is set. */
export function useObservable<T>(observable: Observable<T>): T {
  const [, render] = useState(0);
  useEffect(() => {
    // What was set between the render and this effect would be missed without the first call.
    render((count) => count + 1);
    return observable.subscribe(() => render((count) => count + 1));
  }, [observable]);
  return observable.value;
}
