/** The treasure chest: shut until `open`, then its lid swings back and the gold shows. The sheet of styles moves it. */
export function Chest({ open }: { open: boolean }) {
  return (
    <svg class={open ? "box box--open" : "box"} viewBox="0 0 320 230" aria-hidden="true" focusable="false">
      <defs>
        <radialGradient id="chest-light" gradientUnits="userSpaceOnUse" cx="160" cy="128" r="190">
          <stop class="box__light" offset="0.2" stop-opacity="0.55" />
          <stop class="box__light" offset="0.9" stop-opacity="0" />
        </radialGradient>
      </defs>
      <g class="box__rays" fill="url(#chest-light)">
        {RAYS.map((angle) => (
          <path key={angle} d="M160 128 142 -62h36Z" transform={`rotate(${angle} 160 128)`} />
        ))}
      </g>
      <ellipse class="box__shadow" cx="160" cy="214" rx="112" ry="12" />
      <g class="box__inside">
        <path d="M74 112h172v34H74Z" />
      </g>
      <g class="box__coins">
        {COINS.map(([x, y, r]) => (
          <g key={`${x},${y}`}>
            <circle cx={x} cy={y} r={r} />
            <circle class="box__mint" cx={x} cy={y} r={r - 4} />
          </g>
        ))}
      </g>
      <g class="box__body">
        <path class="box__wood" d="M70 124h180l-6 82a8 8 0 0 1-8 8H84a8 8 0 0 1-8-8Z" />
        <path class="box__grain" d="M73 152h174M75 181h170" />
        <path class="box__band" d="M94 124h20l4 90H98ZM206 124h20l-4 90h-20Z" />
        <path class="box__band" d="M70 124h180l-1 13H71Z" />
      </g>
      <g class="box__lid">
        <path class="box__wood" d="M66 126c0-44 26-66 56-66h76c30 0 56 22 56 66Z" />
        <path class="box__grain" d="M72 96c30-8 146-8 176 0" />
        <path class="box__band" d="M94 126c0-36 6-56 20-65h16c-12 10-17 30-17 65Z" />
        <path class="box__band" d="M226 126c0-36-6-56-20-65h-16c12 10 17 30 17 65Z" />
        <path class="box__band" d="M66 114h188v13H66Z" />
        <path class="box__lock" d="M146 108h28v30c0 9-6 15-14 15s-14-6-14-15Z" />
        <path class="box__hole" d="M160 121a5 5 0 0 1 3 9l2 11h-10l2-11a5 5 0 0 1 3-9Z" />
      </g>
    </svg>
  );
}

/** Degrees from straight up. */
const RAYS = [-78, -56, -35, -16, 0, 16, 35, 56, 78];

/** Centre and radius of each coin, from the back to the front. */
const COINS: readonly [number, number, number][] = [
  [112, 112, 13],
  [144, 104, 15],
  [178, 102, 14],
  [208, 110, 13],
  [94, 124, 12],
  [126, 120, 14],
  [160, 118, 16],
  [194, 121, 14],
  [226, 124, 12],
];
