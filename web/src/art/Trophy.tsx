/** A golden cup with rays behind it; the sheet of styles moves it. */
export function Trophy() {
  return (
    <svg class="cup" viewBox="0 0 240 190" aria-hidden="true" focusable="false">
      <defs>
        <radialGradient id="cup-light" gradientUnits="userSpaceOnUse" cx="120" cy="92" r="150">
          <stop class="box__light" offset="0.2" stop-opacity="0.55" />
          <stop class="box__light" offset="0.9" stop-opacity="0" />
        </radialGradient>
        <linearGradient id="cup-gold" x1="0" x2="1" y1="0" y2="0">
          <stop offset="0" stop-color="#b57f16" />
          <stop offset="0.35" stop-color="#ffe9a8" />
          <stop offset="0.65" stop-color="#e8b53f" />
          <stop offset="1" stop-color="#a46f0e" />
        </linearGradient>
      </defs>
      <g class="cup__rays" fill="url(#cup-light)">
        {RAYS.map((angle) => (
          <path key={angle} d="M120 92 106 -58h28Z" transform={`rotate(${angle} 120 92)`} />
        ))}
      </g>
      <ellipse class="box__shadow" cx="120" cy="180" rx="66" ry="7" />
      <g class="cup__body">
        <path class="cup__handle" d="M82 46H60c-3 26 8 46 32 50M158 46h22c3 26-8 46-32 50" />
        <path class="cup__gold" fill="url(#cup-gold)" d="M76 32h88c2 50-12 78-36 84v20h-16v-20c-24-6-38-34-36-84Z" />
        <path
          class="cup__gold"
          fill="url(#cup-gold)"
          d="M72 26h96a4 4 0 0 1 4 4v4a4 4 0 0 1-4 4H72a4 4 0 0 1-4-4v-4a4 4 0 0 1 4-4Z"
        />
        <path class="cup__gold" fill="url(#cup-gold)" d="M100 134h40l6 12H94Z" />
        <path class="cup__base" d="M86 146h68l8 32H78Z" />
        <path class="cup__plate" d="M100 155h40v13h-40Z" />
        <path
          class="cup__star"
          d="m120 52 6.500 14.200 15.500 1.700-11.500 10.500 3.200 15.300-13.700-7.700-13.700 7.700 3.200-15.300L98 67.900l15.500-1.700Z"
        />
      </g>
    </svg>
  );
}

/** Degrees from straight up. */
const RAYS = [-126, -96, -68, -42, -20, 0, 20, 42, 68, 96, 126];
