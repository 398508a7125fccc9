import { type Cell, type Heading, SIDE, type Snake } from "../../../src/games/snake.ts";

/** The colours of the ring, from the page's sheet: they differ by day and by night. */
export interface Look {
  floor: string;
  floorDeep: string;
  floorLine: string;
  parade: string;
  stripe: string;
  edge: string;
  star: string;
  starEdge: string;
}

/** Steps for which the points of what was picked up are seen. */
const PICKED_STEPS = 7;

const ANGLES: Record<Heading, number> = { right: 0, down: Math.PI / 2, left: Math.PI, up: -Math.PI / 2 };

type Brush = CanvasRenderingContext2D;

export function lookOf(element: Element): Look {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    floor: colour("floor"),
    floorDeep: colour("floor-deep"),
    floorLine: colour("floor-line"),
    parade: colour("parade"),
    stripe: colour("parade-stripe"),
    edge: colour("parade-edge"),
    star: colour("star"),
    starEdge: colour("star-edge"),
  };
}

/**
 * Draws the whole ring into a square of `size` units. `between` (0 to 1) is how far the parade has come from the step before the
 * last one to the last; `still` leaves out what only moves for show.
 */
export function draw(brush: Brush, size: number, look: Look, snake: Snake, between: number, still: boolean): void {
  brush.save();
  brush.scale(size / SIDE, size / SIDE);
  drawFloor(brush, look);
  const beat = still ? 0 : snake.step + between;
  drawStar(brush, look, snake.star, beat);
  if (snake.coin) drawCoin(brush, look, snake.coin.at, snake.coin.leaves - snake.step, beat);
  drawParade(brush, look, snake, still ? 1 : between);
  if (snake.picked && !still) drawPicked(brush, look, snake, between);
  brush.restore();
}

function drawFloor(brush: Brush, look: Look): void {
  const middle = SIDE / 2;
  const light = brush.createRadialGradient(middle, middle, 1, middle, middle, SIDE * 0.72);
  light.addColorStop(0, look.floor);
  light.addColorStop(1, look.floorDeep);
  brush.fillStyle = light;
  brush.fillRect(0, 0, SIDE, SIDE);
  brush.fillStyle = look.floorLine;
  brush.globalAlpha = 0.075;
  for (let y = 0; y < SIDE; y += 1) for (let x = y % 2; x < SIDE; x += 2) brush.fillRect(x, y, 1, 1);
  brush.globalAlpha = 0.4;
  brush.strokeStyle = look.floorLine;
  brush.lineWidth = 0.06;
  for (const radius of [SIDE * 0.43, SIDE * 0.41]) {
    brush.beginPath();
    brush.arc(middle, middle, radius, 0, 2 * Math.PI);
    brush.stroke();
  }
  brush.globalAlpha = 1;
}

function drawStar(brush: Brush, look: Look, { x, y }: Cell, beat: number): void {
  brush.save();
  brush.translate(x + 0.5, y + 0.5);
  brush.rotate(Math.sin(beat * 0.5) * 0.16);
  const size = 0.5 + Math.sin(beat * 0.9) * 0.03;
  brush.beginPath();
  for (let point = 0; point < 10; point += 1) {
    const radius = point % 2 === 0 ? size : size * 0.46;
    const angle = (point * Math.PI) / 5 - Math.PI / 2;
    brush.lineTo(Math.cos(angle) * radius, Math.sin(angle) * radius);
  }
  brush.closePath();
  brush.lineJoin = "round";
  brush.lineWidth = 0.14;
  brush.strokeStyle = look.starEdge;
  brush.fillStyle = look.star;
  brush.stroke();
  brush.fill();
  brush.restore();
}

/** A coin that turns on its edge, and fades in its last steps. */
function drawCoin(brush: Brush, look: Look, { x, y }: Cell, left: number, beat: number): void {
  brush.save();
  brush.translate(x + 0.5, y + 0.5);
  if (left < 8) brush.globalAlpha = 0.35 + (0.65 * left) / 8;
  brush.scale(0.55 + 0.45 * Math.abs(Math.cos(beat * 0.35)), 1);
  disc(brush, 0, 0, 0.5, look.starEdge);
  disc(brush, 0, 0, 0.43, look.star);
  brush.strokeStyle = look.starEdge;
  brush.lineWidth = 0.07;
  brush.beginPath();
  brush.arc(0, 0, 0.27, 0, 2 * Math.PI);
  brush.stroke();
  brush.restore();
}

function drawParade(brush: Brush, look: Look, snake: Snake, between: number): void {
  const { cells, vacated, end } = snake;
  const share = end ? 1 : between;
  const front = mix(cells[1]!, cells[0]!, share);
  const line = [front, ...cells.slice(1), mix(vacated, cells.at(-1)!, share)];
  brush.lineJoin = "round";
  for (const { width, colour, dashes } of [
    { width: 0.86, colour: look.edge, dashes: [] },
    { width: 0.72, colour: look.parade, dashes: [] },
    { width: 0.72, colour: look.stripe, dashes: [0.34, 0.66] },
  ]) {
    brush.beginPath();
    for (const { x, y } of line) brush.lineTo(x + 0.5, y + 0.5);
    brush.lineCap = dashes.length === 0 ? "round" : "butt";
    brush.setLineDash(dashes);
    brush.lineDashOffset = -0.62;
    brush.lineWidth = width;
    brush.strokeStyle = colour;
    brush.stroke();
  }
  brush.setLineDash([]);
  drawHead(brush, look, front, snake);
}

function drawHead(brush: Brush, look: Look, { x, y }: Cell, { heading, end }: Snake): void {
  const isHurt = end === "kerb" || end === "tail";
  brush.save();
  brush.translate(x + 0.5, y + 0.5);
  disc(brush, 0, 0, 0.52, look.edge);
  disc(brush, 0, 0, 0.45, look.parade);
  brush.save();
  brush.rotate(ANGLES[heading]);
  for (const side of [-1, 1]) {
    disc(brush, 0.17, side * 0.2, 0.15, look.stripe);
    if (isHurt) cross(brush, 0.17, side * 0.2, look.edge);
    else disc(brush, 0.22, side * 0.2, 0.075, look.edge);
  }
  brush.restore();
  drawHat(brush, look, heading, isHurt);
  brush.restore();
}

/** The ringmaster's hat sits on the head whichever way it goes, and slips where it has bumped into something. */
function drawHat(brush: Brush, look: Look, heading: Heading, slips: boolean): void {
  brush.rotate(slips ? 0.7 : heading === "left" ? 0.12 : heading === "right" ? -0.12 : 0);
  brush.translate(0, heading === "down" ? -0.46 : -0.4);
  brush.fillStyle = look.edge;
  brush.fillRect(-0.46, -0.08, 0.92, 0.15);
  brush.fillRect(-0.29, -0.58, 0.58, 0.55);
  brush.fillStyle = look.star;
  brush.fillRect(-0.29, -0.2, 0.58, 0.12);
}

/** The points fly up from where they were made. */
function drawPicked(brush: Brush, look: Look, snake: Snake, between: number): void {
  const { at, points, step } = snake.picked!;
  const age = (snake.step - step + between) / PICKED_STEPS;
  if (age >= 1) return;
  const y = Math.max(1.2, at.y - 0.4);
  brush.globalAlpha = 1 - age ** 2;
  brush.font = "700 0.95px Georgia, serif";
  brush.textAlign = at.x < 1 ? "left" : at.x > SIDE - 2 ? "right" : "center";
  brush.lineWidth = 0.22;
  brush.lineJoin = "round";
  brush.strokeStyle = look.floor;
  brush.fillStyle = look.starEdge;
  brush.strokeText(`+${points}`, at.x + 0.5, y - age * 1.2);
  brush.fillText(`+${points}`, at.x + 0.5, y - age * 1.2);
  brush.globalAlpha = 1;
}

function disc(brush: Brush, x: number, y: number, radius: number, colour: string): void {
  brush.fillStyle = colour;
  brush.beginPath();
  brush.arc(x, y, radius, 0, 2 * Math.PI);
  brush.fill();
}

function cross(brush: Brush, x: number, y: number, colour: string): void {
  brush.strokeStyle = colour;
  brush.lineWidth = 0.06;
  for (const lean of [-1, 1]) {
    brush.beginPath();
    brush.moveTo(x - 0.08, y - 0.08 * lean);
    brush.lineTo(x + 0.08, y + 0.08 * lean);
    brush.stroke();
  }
}

function mix(from: Cell, to: Cell, share: number): Cell {
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}
