import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { begin, type Snake } from "../../../src/games/snake.ts";
import { calm } from "../motion.ts";
import { Observable, useObservable } from "../observable.ts";
import { theme } from "../theme.ts";
import { draw, lookOf } from "./draw.ts";
import type { Round, RoundStatus } from "./Round.ts";
import { Swipe } from "./steering.ts";

/** What is seen before the first round. */
const PREVIEW = begin(7);
const IDLE = new Observable<RoundStatus>("over");

/** The ring as a picture that moves while a round is played; it takes swipes, and has the focus for the keys. */
export function Arena({ round, arena }: { round: Round | undefined; arena: RefObject<HTMLDivElement> }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const status = useObservable(round?.status ?? IDLE);
  const size = useSize(canvas);
  const light = useObservable(theme);
  const swipe = useRef(new Swipe());
  const isPlaying = round !== undefined && status === "playing";

  useEffect(() => {
    const brush = canvas.current?.getContext("2d");
    if (!brush || size === 0) return;
    // The sheet answers for the theme that is on the page now: hence `light` among the reasons to draw anew.
    const look = lookOf(canvas.current!);
    let frame = 0;
    const show = (snake: Snake, between: number): void => draw(brush, size, look, snake, between, calm());
    const play = (now: number): void => {
      if (isPlaying) frame = requestAnimationFrame(play);
      const between = round!.frame(now);
      show(round!.snake.value, between);
    };
    if (isPlaying) frame = requestAnimationFrame(play);
    else show(round?.snake.value ?? PREVIEW, 1);
    return () => cancelAnimationFrame(frame);
  }, [round, isPlaying, size, light, status]);

  const steer = (event: PointerEvent): void => {
    const heading = swipe.current.move(event);
    if (heading) round?.steer(heading);
  };
  return (
    <div
      ref={arena}
      class={isPlaying ? "arena arena--playing" : "arena"}
      role="application"
      aria-label="Snake"
      aria-describedby="play-keys"
      tabIndex={isPlaying ? 0 : -1}
      onPointerDown={(event) => swipe.current.start(event)}
      onPointerMove={steer}
      onPointerUp={() => swipe.current.end()}
      onPointerCancel={() => swipe.current.end()}
    >
      <canvas ref={canvas} width={size} height={size} />
    </div>
  );
}

/** The canvas' side in the device's own pixels, as it is laid out. */
function useSize(canvas: RefObject<HTMLCanvasElement>): number {
  const [size, setSize] = useState(0);
  useEffect(() => {
    const measure = (): void => setSize(Math.round((canvas.current?.clientWidth ?? 0) * devicePixelRatio));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, [canvas]);
  return size;
}
