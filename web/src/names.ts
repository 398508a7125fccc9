const MANNERS = "Marvellous Velvet Brass Daring Golden Nimble Curious Gallant Twinkling Merry Silver Clever".split(" ");
const ACTS = "Otter Heron Badger Magpie Lynx Fox Newt Sparrow Hedgehog Walrus Comet Acrobat".split(" ");

/** A friendly name for somebody who has not thought of one. */
export function suggestName(): string {
  return `${pick(MANNERS)} ${pick(ACTS)}`;
}

function pick(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)]!;
}
