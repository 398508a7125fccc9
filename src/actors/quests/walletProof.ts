import { createHash, createPublicKey, verify } from "node:crypto";

/** A claim to own a wallet: `signature` is to be that of `challenge`, made with the key behind `address`. */
export interface WalletProof {
  address: string;
  challenge: string;
  signature: string;
}

/** One way to prove that a wallet is yours. */
export interface WalletVerifier {
  /** Whether addresses of this form are its own. */
  accepts(address: string): boolean;
  /** Whether the proof holds; never throws. */
  holds(proof: WalletProof): boolean;
}

/** The address is an Ed25519 public key and the signature one of the challenge's UTF-8, both in lower-case hexadecimal. */
export const ed25519: WalletVerifier = {
  accepts: (address) => /^[0-9a-f]{64}$/.test(address),
  holds({ address, challenge, signature }) {
    if (!/^[0-9a-f]{128}$/.test(signature)) return false;
    const x = Buffer.from(address, "hex").toString("base64url");
    try {
      const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
      return verify(null, Buffer.from(challenge), key, Buffer.from(signature, "hex"));
    } catch {
      return false;
    }
  },
};

/** For playing without a wallet: anybody can sign for `dev-…`, with the SHA-256 of address and challenge in hexadecimal. */
export const development: WalletVerifier = {
  accepts: (address) => /^dev-[a-z0-9]{1,32}$/.test(address),
  holds: ({ address, challenge, signature }) =>
    signature === createHash("sha256").update(`${address}\n${challenge}`).digest("hex"),
};

/** In production nobody signs without a key. */
export function verifiersFor(production: boolean): readonly WalletVerifier[] {
  return production ? [ed25519] : [ed25519, development];
}
