import { useEffect, useRef } from "preact/hooks";
import { calm } from "../motion.ts";
import { type Observable, useObservable } from "../observable.ts";
import { pointsText } from "../points.ts";

/** The player's points, with a hop when they grow. */
export function Points({ of }: { of: Observable<number> }) {
  const points = useObservable(of);
  const badge = useRef<HTMLSpanElement>(null);
  const before = useRef(points);

  useEffect(() => {
    if (points > before.current && !calm()) {
      const hop = [{ transform: "scale(1)" }, { transform: "scale(1.22)" }, { transform: "scale(1)" }];
      badge.current?.animate(hop, { duration: 420, delay: 520, easing: "cubic-bezier(.3,1.6,.5,1)" });
    }
    before.current = points;
  }, [points]);

  return (
    <span class="points" ref={badge} data-points={points}>
      <span class="points__coin" aria-hidden="true" />
      {pointsText(points)}
      <span class="unseen"> points</span>
    </span>
  );
}
