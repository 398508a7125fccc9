/**
 * Loaded into a node (`--import`): has steps of its start and stop hang. `HANGING_STEPS` names them: `start:jobs`, or `stop:*` for all steps
 * of the stop.
 */
import { Lifecycle } from "../../src/lifecycle.ts";

const hanging = new Set(process.env.HANGING_STEPS?.split(","));
const forEver = (): Promise<never> => new Promise(() => {});

const { start, onDrain, onStop } = Lifecycle.prototype;

Lifecycle.prototype.start = function (what, run) {
  return start.call(this, what, hanging.has(`start:${what}`) ? forEver : run) as never;
};
for (const [name, method] of Object.entries({ onDrain, onStop })) {
  Object.assign(Lifecycle.prototype, {
    [name](this: Lifecycle, what: string, ...[run, options]: [() => void, object | undefined]): void {
      method.call(this, what, hanging.has("stop:*") ? forEver : run, options);
    },
  });
}
