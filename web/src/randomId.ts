/** 128 random bits in hexadecimal: `randomUUID` is missing where the page is not served over TLS. */
export function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
