import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

/** The text of a document, by its path in the repository. */
export function documentOf(path: string): string {
  return readFileSync(join(REPOSITORY, path), "utf8");
}

/** The paths of all documents. */
export function allDocuments(): string[] {
  const inDocs = readdirSync(join(REPOSITORY, "docs"), { recursive: true, encoding: "utf8" });
  const below = inDocs.filter((path) => path.endsWith(".md")).map((path) => join("docs", path));
  return ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...below];
}

/** The part of a document from a heading (`"## Room `hunt`"`) to the next one of its level or above. */
export function sectionOf(text: string, heading: string): string {
  const [level] = heading.split(" ", 1);
  const lines = text.split("\n");
  const from = lines.indexOf(heading);
  if (from < 0) throw new Error(`there is no heading ${heading}`);
  const isNext = (line: string): boolean => /^#+ /.test(line) && line.split(" ", 1)[0]!.length <= level!.length;
  const length = lines.slice(from + 1).findIndex(isNext);
  return lines.slice(from, length < 0 ? undefined : from + 1 + length).join("\n");
}

/** The rows of the tables of a text whose header begins with `first`, each as its cells. */
export function tableOf(text: string, first: string): string[][] {
  const rows: string[][] = [];
  let isInside = false;
  for (const line of text.split("\n")) {
    if (!line.startsWith("|")) isInside = false;
    else if (isInside) rows.push(cellsOf(line));
    else isInside = cellsOf(line)[0] === first;
  }
  return rows.filter(([cell]) => !/^-+$/.test(cell!));
}

/**
 * The endpoints of a page of the protocol, and for whom they are. A cell of `POST /api/popups/global/open`, `/close` is two.
 * `complete.test.ts` holds that there are no others.
 */
export function endpointsOf(protocol: string): { endpoint: string; who: string }[] {
  if (!protocol.includes("\n## HTTP\n")) return [];
  return tableOf(sectionOf(protocol, "## HTTP"), "endpoint").flatMap(([cell, who]) => {
    const [first = "", ...others] = codesOf(cell!);
    const endpoints = [first, ...others.map((other) => first.replace(/\/[^/]*$/, other))];
    return endpoints.map((endpoint) => ({ endpoint, who: who! }));
  });
}

/** What clients say and hear: `docs/protocol.md`, and the page of each domain that has one of its own. */
export function protocolPages(): string[] {
  const pages = allDocuments().filter((path) => path.startsWith("docs/protocol/"));
  return ["docs/protocol.md", ...pages].map(documentOf);
}

/** The parts of these pages under a heading, of those that have it. */
export function sectionsOf(heading: string): string[] {
  const having = protocolPages().filter((page) => page.split("\n").includes(heading));
  return having.map((page) => sectionOf(page, heading));
}

/** The first words in backquotes of the first cells of a text's tables: `claim {}` is claim, and a cell may have several. */
export function firstWordsOf(text: string, first: string): string[] {
  return tableOf(text, first).flatMap(([cell]) => codesOf(cell!).map((code) => code.split(" ", 1)[0]!));
}

/** The status of each error code that is documented: in docs/errors.md, or on the page of its domain. */
export function documentedErrors(): Map<string, number> {
  const rows = [documentOf("docs/errors.md"), ...protocolPages()].flatMap((page) => tableOf(page, "code"));
  const errors = rows.filter(([, status]) => /^[45]\d\d$/.test(status!));
  return new Map(errors.map(([code, status]) => [codesOf(code!)[0]!, Number(status)]));
}

/** What stands in backquotes. */
export function codesOf(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}
