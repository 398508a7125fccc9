import { type Rng, seededRng } from "../../clock.ts";

interface Node<T> {
  item: T;
  /** Greater than those of its children, which chance keeps the tree's depth logarithmic with. */
  priority: number;
  size: number;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
}

type Tree<T> = Node<T> | undefined;

/**
 * A sorted set that knows the place of each item: a treap whose nodes count what is below them (R. Seidel, C. Aragon:
 * Randomized Search Trees). Adding, removing and finding a place take a time that grows with the logarithm of the size.
 * `compare` must never find two different items equal.
 */
export class Ranks<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #rng: Rng = seededRng(1);
  #root: Tree<T>;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return sizeOf(this.#root);
  }

  /** Adds an item that is not there yet. */
  add(item: T): void {
    const [before, after] = this.#split(this.#root, item);
    const node: Node<T> = { item, priority: this.#rng.next(), size: 1, left: undefined, right: undefined };
    this.#root = merge(merge(before, node), after);
  }

  /** Removes an item that is there. */
  remove(item: T): void {
    this.#root = this.#without(this.#root, item);
  }

  /** How many items are before this one. */
  placeOf(item: T): number {
    let place = 0;
    let node = this.#root;
    while (node !== undefined) {
      if (this.#compare(item, node.item) <= 0) {
        node = node.left;
      } else {
        place += sizeOf(node.left) + 1;
        node = node.right;
      }
    }
    return place;
  }

  /** At most `limit` items, in order, behind the first `offset`. */
  slice(offset: number, limit: number): T[] {
    const items: T[] = [];
    collect(this.#root, offset, limit, items);
    return items;
  }

  /** What is before `item`, and the rest. */
  #split(node: Tree<T>, item: T): [Tree<T>, Tree<T>] {
    if (node === undefined) return [undefined, undefined];
    if (this.#compare(node.item, item) < 0) {
      const [before, after] = this.#split(node.right, item);
      node.right = before;
      return [counted(node), after];
    }
    const [before, after] = this.#split(node.left, item);
    node.left = after;
    return [before, counted(node)];
  }

  #without(node: Tree<T>, item: T): Tree<T> {
    if (node === undefined) return undefined;
    const order = this.#compare(item, node.item);
    if (order === 0) return merge(node.left, node.right);
    if (order < 0) node.left = this.#without(node.left, item);
    else node.right = this.#without(node.right, item);
    return counted(node);
  }
}

function sizeOf<T>(tree: Tree<T>): number {
  return tree?.size ?? 0;
}

function counted<T>(node: Node<T>): Node<T> {
  node.size = sizeOf(node.left) + sizeOf(node.right) + 1;
  return node;
}

/** Everything in `left` is before everything in `right`. */
function merge<T>(left: Tree<T>, right: Tree<T>): Tree<T> {
  if (left === undefined) return right;
  if (right === undefined) return left;
  if (left.priority > right.priority) {
    left.right = merge(left.right, right);
    return counted(left);
  }
  right.left = merge(left, right.left);
  return counted(right);
}

function collect<T>(node: Tree<T>, offset: number, limit: number, into: T[]): void {
  if (node === undefined || offset >= node.size || into.length >= limit) return;
  const before = sizeOf(node.left);
  collect(node.left, offset, limit, into);
  if (offset <= before && into.length < limit) into.push(node.item);
  collect(node.right, Math.max(0, offset - before - 1), limit, into);
}
