import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The flags that this program was started with. Ends it with `usage` for `--help`, and with a line on what is wrong besides for any other flag. */
export function flags<O extends ParseArgsOptionsConfig>(usage: string, options: O) {
  try {
    if (process.argv.includes("--help")) {
      console.log(usage);
      process.exit(0);
    }
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(1);
  }
}
