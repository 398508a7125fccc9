import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A wallet of somebody: an address, and signatures of its own. */
export interface SigningWallet {
  address: string;
  sign(challenge: string): string;
}

/** A wallet with an Ed25519 key. */
export function ed25519Wallet(): SigningWallet {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { address: addressOf(publicKey), sign: (text) => sign(null, Buffer.from(text), privateKey).toString("hex") };
}

/** A wallet without a key, for development. */
export function developmentWallet(name: string): SigningWallet {
  const address = `dev-${name}`;
  return { address, sign: (text) => createHash("sha256").update(`${address}\n${text}`).digest("hex") };
}

function addressOf(key: KeyObject): string {
  return Buffer.from(key.export({ format: "jwk" }).x!, "base64url").toString("hex");
}
