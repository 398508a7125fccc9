import type { HuntView } from "./HuntGame.ts";

/** How the hunt goes, in four numbers. */
export function Counts({ hunt }: { hunt: HuntView }) {
  const counts: [string, string][] = [
    ["Hunters", number(hunt.players)],
    ["Clues solved", hunt.total > 0 ? `${number(hunt.solved)} of ${number(hunt.total)}` : number(hunt.solved)],
    ["Being solved", number(hunt.open)],
    ["In the queue", number(hunt.waiting)],
  ];
  return (
    <dl class="counts">
      {counts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function number(value: number): string {
  return value.toLocaleString("en");
}
