import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const SOURCES = fileURLToPath(new URL("../src/", import.meta.url));

/** Files and folders of `src`, each named by the first of these that it begins with. */
const LAYERS = [
  ["list", ["app.config.ts", "index.ts"]],
  ["composition", ["app.ts", "backplane.ts", "lifecycle.ts", "parts/", "domains/runtime/"]],
  ["domains", ["domains/"]],
  ["common", ["clock.ts", "config.ts", "errors.ts", "FairQueue.ts", "ids.ts", "text.ts", "tracing.ts", "validate.ts"]],
  ["runtime", ["actors/runtime/"]],
  ["actors", ["actors/"]],
  ["games", ["games/"]],
  ["schedulers", ["schedulers/"]],
  ["operations", ["operations/"]],
  ["rooms", ["rooms/"]],
  ["identity", ["http/auth/"]],
  ["edge", ["edge/"]],
  ["http", ["http/"]],
  ["feeds", ["stores/feeds/", "stores/runtime/"]],
  ["stores", ["stores/"]],
  ["tables", ["entities/"]],
  ["telemetry", ["telemetry/"]],
] as const;
type Layer = (typeof LAYERS)[number][0];

/** What each layer may import beside itself. */
const MAY_IMPORT: Record<Layer, readonly Layer[] | "everything"> = {
  list: "everything",
  domains: "everything",
  composition: "everything",
  operations: ["actors", "runtime", "stores", "feeds", "tables", "telemetry", "identity", "edge", "common"],
  rooms: ["operations", "actors", "runtime", "stores", "feeds", "tables", "telemetry", "identity", "edge", "common"],
  http: ["operations", "actors", "runtime", "stores", "feeds", "tables", "telemetry", "identity", "edge", "common"],
  identity: ["common"],
  edge: ["common"],
  schedulers: ["actors", "runtime", "stores", "feeds", "tables", "common"],
  actors: ["runtime", "stores", "feeds", "tables", "games", "common"],
  games: [],
  runtime: ["feeds", "tables", "common"],
  stores: ["feeds", "tables", "common"],
  feeds: ["tables", "common"],
  tables: ["common"],
  telemetry: ["common"],
  common: [],
};

interface Edge {
  from: string;
  to: string;
  /** Whether types alone are imported, of which nothing is left when the program runs. */
  isTypes?: boolean;
}

function layerOf(file: string): Layer {
  const found = LAYERS.find(([, beginnings]) => beginnings.some((beginning) => file.startsWith(beginning)));
  assert.ok(found, `${file} belongs to no layer: name it in LAYERS, and what may import it`);
  return found[0];
}

/** The words for domains: each has a page. */
const DOMAINS: ReadonlySet<string> = new Set(
  globSync("*.ts", { cwd: join(SOURCES, "domains") }).map((file) => file.replace(/\.ts$/, "")),
);

/** The folder that names a file's domain (`hunts` of `actors/hunts/demo.ts`), where it has one. */
const domainOf = (file: string): string | undefined => /^\w+\/(\w+)\//.exec(file)?.[1];

function isOffending({ from, to, isTypes = false }: Edge): boolean {
  const [importer, imported] = [layerOf(from), layerOf(to)];
  // The heart of the runtime knows tables in general, and those of no domain.
  if (importer === "runtime" && imported === "tables") return domainOf(to) !== undefined;
  // What puts a node together knows no domain by name: the list does.
  if (importer === "composition" && imported !== "composition")
    return imported === "list" || imported === "domains" || (!isTypes && DOMAINS.has(domainOf(to) ?? ""));
  if (importer === "domains") return imported === "list";
  // A store is Redis or memory: what it decides is committed elsewhere.
  if ((importer === "stores" || importer === "feeds") && to === "entities/sql.ts") return true;
  const allowed = MAY_IMPORT[importer];
  return importer !== imported && allowed !== "everything" && !allowed.includes(imported);
}

/** Every import of a file of `src` by another, types included. */
function edges(): Edge[] {
  return globSync("**/*.ts", { cwd: SOURCES }).flatMap((from) => {
    const text = readFileSync(join(SOURCES, from), "utf8");
    const values = new Set(valueImports(ts.createSourceFile(from, text, ts.ScriptTarget.ESNext)));
    const names = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
    return names
      .filter((name) => name.startsWith("."))
      .map((name) => ({ from, to: posix.join(posix.dirname(from), name), isTypes: !values.has(name) }));
  });
}

function* valueImports({ statements }: ts.SourceFile): Generator<string> {
  for (const statement of statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const { importClause: clause, moduleSpecifier } = statement;
    const named = clause?.namedBindings;
    const isTypes =
      clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
      (named !== undefined && ts.isNamedImports(named) && named.elements.every(({ isTypeOnly }) => isTypeOnly));
    if (!isTypes) yield (moduleSpecifier as ts.StringLiteral).text;
  }
}

/** What reads a clock or draws by itself, in the text of a file. */
const OWN_TIME_OR_CHANCE = /\bMath\.random\(|\bDate\.now\(|\bnew Date\(\)/;

describe("actors, rooms, jobs and stores", () => {
  it("take time and chance from what they are given", () => {
    const files = globSync("{actors,rooms,schedulers,stores,entities,operations}/**/*.ts", { cwd: SOURCES });
    assert.ok(files.length > 200);
    const own = files.filter((file) => OWN_TIME_OR_CHANCE.test(readFileSync(join(SOURCES, file), "utf8")));
    assert.deepEqual(own, []);
    for (const text of ["Math.random() * 3", "Date.now()", "new Date()"]) assert.match(text, OWN_TIME_OR_CHANCE);
  });
});

describe("the imports of src", () => {
  it("are found", () => {
    const found = edges();
    assert.ok(found.length > 200);
    const known = { from: "rooms/hunts/HuntRoom.ts", to: "actors/hunts/HuntService.ts" };
    assert.ok(found.some(({ from, to }) => from === known.from && to === known.to));
    for (const { to } of found) assert.ok(!to.startsWith(".."), `${to} is in src`);
  });

  it("run one way: rooms and HTTP, schedulers, actors, stores, tables", () => {
    const offending = edges().filter(isOffending);
    assert.deepEqual(
      offending.map(({ from, to }) => `${from} (${layerOf(from)}) imports ${to} (${layerOf(to)})`),
      [],
    );
  });

  const forbidden: Edge[] = [
    { from: "actors/runtime/Actor.ts", to: "actors/hunts/HuntActor.ts" },
    { from: "actors/runtime/Actor.ts", to: "entities/hunts/Hunt.ts" },
    { from: "actors/runtime/Actor.ts", to: "stores/hunts/ClueLedger.ts" },
    { from: "actors/hunts/HuntActor.ts", to: "rooms/hunts/HuntRoom.ts" },
    { from: "actors/hunts/HuntActor.ts", to: "http/hunts.ts" },
    { from: "actors/hunts/HuntActor.ts", to: "schedulers/runtime/Jobs.ts" },
    { from: "schedulers/runtime/Jobs.ts", to: "rooms/admin/AdminRoom.ts" },
    { from: "http/hunts.ts", to: "rooms/hunts/HuntRoom.ts" },
    { from: "rooms/hunts/HuntRoom.ts", to: "http/hunts.ts" },
    { from: "stores/hunts/ClueLedger.ts", to: "actors/hunts/HuntActor.ts" },
    { from: "entities/hunts/Hunt.ts", to: "stores/hunts/ClueLedger.ts" },
    { from: "stores/hunts/ClueLedger.ts", to: "entities/sql.ts" },
    { from: "errors.ts", to: "actors/hunts/HuntActor.ts" },
    { from: "rooms/hunts/HuntRoom.ts", to: "app.config.ts" },
    { from: "rooms/hunts/HuntRoom.ts", to: "parts/database.ts" },
    { from: "rooms/hunts/HuntRoom.ts", to: "domains/hunts.ts" },
    { from: "actors/hunts/HuntActor.ts", to: "domains/runtime/Domain.ts" },
    { from: "app.ts", to: "domains/hunts.ts" },
    { from: "app.ts", to: "actors/hunts/HuntActor.ts" },
    { from: "parts/server.ts", to: "rooms/hunts/HuntRoom.ts" },
    { from: "domains/runtime/OpenDomains.ts", to: "domains/hunts.ts" },
    { from: "domains/hunts.ts", to: "app.config.ts" },
    { from: "app.ts", to: "app.config.ts" },
  ];
  for (const edge of forbidden) {
    it(`would not run from ${edge.from} to ${edge.to}`, () => assert.equal(isOffending(edge), true));
  }

  it("never lead a running file back to itself", () => {
    const values = edges().filter(({ isTypes }) => !isTypes);
    assert.ok(values.length > 100);
    const imports = Map.groupBy(values, ({ from }) => from);
    const done = new Set<string>();
    const visit = (file: string, path: string[]): void => {
      assert.ok(!path.includes(file), `${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
      if (done.has(file)) return;
      for (const { to } of imports.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    };
    for (const file of imports.keys()) visit(file, []);
  });
});
