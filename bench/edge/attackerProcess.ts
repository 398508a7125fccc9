/** Attacks until it is killed, as so many attackers, each from an address of its own; tells on asking what it has done. */
import { attack, FLOODS, type Target } from "./floods.ts";

export interface Orders extends Target {
  flood: string;
  attackers: number;
}

/** What was done so far. */
export interface Done {
  goes: number;
  bytes: number;
}

/** The innocent come from 127.0.0.1, and each flood from addresses that none before it has had kept out. */
const NETWORK = `127.0.${1 + Object.keys(FLOODS).indexOf((JSON.parse(process.argv[2]!) as Orders).flood)}`;

const done: Done = { goes: 0, bytes: 0 };
const { flood, attackers, ...target } = JSON.parse(process.argv[2]!) as Orders;
for (let n = 0; n < attackers; n += 1) {
  const attacker = {
    ...target,
    address: `${NETWORK}.${10 * attackers + n}`,
    sent: (bytes: number) => {
      done.bytes += bytes;
    },
  };
  attack(FLOODS[flood]!, attacker, () => {
    done.goes += 1;
  });
}
process.on("message", () => process.send!(done));
process.on("disconnect", () => process.exit());
