import type { IncomingMessage } from "node:http";
import { isIPv4, isIPv6 } from "node:net";

/** A network that requests are counted for, and how many times an address's share it has. */
export interface Network {
  key: string;
  shares: number;
}

/** A host has a /64 of IPv6; a home is given a /56, and who rents a server may get a /48. */
const NETWORKS = [
  { bits: 64, shares: 1 },
  { bits: 56, shares: 4 },
  { bits: 48, shares: 16 },
] as const;

/** The shares that networks have. */
export const NETWORK_SHARES: readonly number[] = NETWORKS.map(({ shares }) => shares);

/**
 * Whose request this is: with `trustProxy` the last entry of `X-Forwarded-For`, which is the one that our own proxy added, without
 * its port; else the other end of the connection. `"unknown"` when that is gone.
 */
export function clientAddress({ headers, socket }: IncomingMessage, trustProxy: boolean): string {
  if (trustProxy) {
    const last = withoutPort(
      String(headers["x-forwarded-for"] ?? "")
        .split(",")
        .at(-1)!
        .trim(),
    );
    if (last !== "") return last;
  }
  return socket.remoteAddress ?? "unknown";
}

/** Of `1.2.3.4:80`, `[2001:db8::1]:80` and `[2001:db8::1]` the address alone. */
function withoutPort(text: string): string {
  const [, address] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? /^([^:]*):\d+$/.exec(text) ?? [];
  return address ?? text;
}

/** What an address counts for: IPv4 whole, mapped or not; of IPv6 its first 64 bits, and more loosely 56 and 48. Never empty. */
export function networksOf(address: string): Network[] {
  const plain = address.split("%")[0]!;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  const ipv4 = mapped ?? plain;
  if (isIPv4(ipv4)) return [{ key: ipv4, shares: 1 }];
  // Whatever a proxy may call somebody whose address it does not know.
  if (!isIPv6(plain)) return [{ key: address.slice(0, 64), shares: 1 }];
  const groups = expand(plain);
  return NETWORKS.map(({ bits, shares }) => ({ key: prefixOf(groups, bits), shares }));
}

function prefixOf(groups: readonly number[], bits: number): string {
  const whole = groups.slice(0, Math.ceil(bits / 16));
  if (bits % 16 !== 0) whole[whole.length - 1]! &= 0xffff << (16 - (bits % 16));
  return `${whole.map((group) => group.toString(16)).join(":")}/${bits}`;
}

/** The first groups of an IPv6 address, whatever stands abbreviated in it. */
function expand(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const groups = (text: string | undefined): string[] => (text === undefined || text === "" ? [] : text.split(":"));
  const [before, after] = [groups(head), groups(tail)];
  const dotted = after.at(-1)?.includes(".") === true ? 1 : 0;
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length - dotted);
  return [...before, ...new Array<string>(zeros).fill("0"), ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16));
}
