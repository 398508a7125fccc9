/** A challenge signed with a key that nobody else has: both in lower-case hexadecimal, the address being the public key. */
export interface Proof {
  address: string;
  signature: string;
}

/** Whether this browser can make keys here: not where the page came over plain HTTP, but from the machine itself. */
export const canSign = typeof crypto.subtle?.generateKey === "function";

/** Signs with a new Ed25519 key pair whose private half cannot leave the browser, and is forgotten after it. Rejects where the browser has no Ed25519. */
export async function signWithNewKey(challenge: string): Promise<Proof> {
  const { publicKey, privateKey } = (await crypto.subtle.generateKey("Ed25519", false, ["sign"])) as CryptoKeyPair;
  const [address, signature] = await Promise.all([
    crypto.subtle.exportKey("raw", publicKey),
    crypto.subtle.sign("Ed25519", privateKey, new TextEncoder().encode(challenge)),
  ]);
  return { address: hex(address), signature: hex(signature) };
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
