/** Loaded into a node (`--import`): has it fail where anything of OpenTelemetry's is loaded. */
import { registerHooks } from "node:module";

registerHooks({
  resolve(name, context, next) {
    const isOurs = context.parentURL !== undefined && !context.parentURL.includes("/node_modules/");
    if (isOurs && name.startsWith("@opentelemetry/")) throw new Error(`${name} is loaded by ${context.parentURL}`);
    return next(name, context);
  },
});
