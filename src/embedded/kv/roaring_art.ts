/**
 * The adaptive radix tree of 64-bit Roaring bitmaps: keys of 6 bytes, values that are places (RoaringBitmap 1.3:
 * org/roaringbitmap/art). It grows as that library's does, so that trees are the same bytes.
 *
 * @module
 */
import type { ByteReader } from "../../format/byte_reader.ts";
import type { ByteWriter } from "../../format/byte_writer.ts";

/** Bytes of a key. */
const KEY_BYTES = 6;

// The kinds of nodes, by their numbers; all but leaves are named by how many children they have room for.
const NODE4 = 0;
const NODE16 = 1;
const NODE48 = 2;
const NODE256 = 3;
const LEAF = 4;
const ROOM = [4, 16, 48, 256];

/** What a branch of 48 says of a byte without a child. */
const NO_SLOT = 0xff;

/** A key with its place. */
export interface ArtLeaf {
  readonly kind: typeof LEAF;
  readonly key: Uint8Array;
  readonly place: number;
}

interface ArtBranch {
  kind: number;
  /** What the keys below have in common. */
  prefix: Uint8Array;
  /** The next byte of the keys below each child, ascending. */
  readonly bytes: number[];
  readonly children: ArtNode[];
  /** Where a branch of 48 keeps each child: as they came. */
  readonly slots: number[];
}

/** A node of the tree. */
export type ArtNode = ArtLeaf | ArtBranch;

function isLeaf(node: ArtNode): node is ArtLeaf {
  return node.kind === LEAF;
}

/** The place of a key. */
export function find(root: ArtNode | undefined, key: Uint8Array): number | undefined {
  let node = root;
  let depth = 0;
  while (node !== undefined && !isLeaf(node)) {
    depth += node.prefix.length;
    node = node.children[node.bytes.indexOf(key[depth++]!)];
  }
  return node !== undefined && node.key.every((byte, i) => byte === key[i]) ? node.place : undefined;
}

/** All keys, ascending. */
export function* leaves(node: ArtNode | undefined): Generator<ArtLeaf> {
  if (node === undefined) return;
  if (isLeaf(node)) yield node;
  else for (const child of node.children) yield* leaves(child);
}

/** Adds a key that is not there. Gives the root. */
export function insert(root: ArtNode | undefined, key: Uint8Array, place: number): ArtNode {
  const leaf: ArtLeaf = { kind: LEAF, key, place };
  return root === undefined ? leaf : insertBelow(root, leaf, 0);
}

function insertBelow(node: ArtNode, leaf: ArtLeaf, depth: number): ArtNode {
  const { key } = leaf;
  if (isLeaf(node)) {
    const same = commonLength(node.key.subarray(depth), key, depth);
    const fork = newBranch(key.slice(depth, depth + same));
    addChild(fork, node.key[depth + same]!, node);
    addChild(fork, key[depth + same]!, leaf);
    return fork;
  }
  const { prefix } = node;
  const same = commonLength(prefix, key, depth);
  if (same < prefix.length) {
    const fork = newBranch(prefix.slice(0, same));
    addChild(fork, prefix[same]!, node);
    node.prefix = prefix.slice(same + 1);
    addChild(fork, key[depth + same]!, leaf);
    return fork;
  }
  const next = depth + prefix.length;
  const at = node.bytes.indexOf(key[next]!);
  if (at < 0) addChild(node, key[next]!, leaf);
  else node.children[at] = insertBelow(node.children[at]!, leaf, next + 1);
  return node;
}

function commonLength(part: Uint8Array, key: Uint8Array, depth: number): number {
  let same = 0;
  while (same < part.length && part[same] === key[depth + same]) same++;
  return same;
}

function newBranch(prefix: Uint8Array): ArtBranch {
  return { kind: NODE4, prefix, bytes: [], children: [], slots: [] };
}

function addChild(branch: ArtBranch, byte: number, child: ArtNode): void {
  const { bytes, children, slots } = branch;
  if (children.length === ROOM[branch.kind]!) {
    branch.kind++;
    if (branch.kind === NODE48) { for (let i = 0; i < bytes.length; i++) slots[i] = i; }
  }
  let at = bytes.length;
  while (at > 0 && bytes[at - 1]! > byte) at--;
  bytes.splice(at, 0, byte);
  if (branch.kind === NODE48) slots.splice(at, 0, children.length);
  children.splice(at, 0, child);
}

/** Reads a tree. */
export function readArt(reader: ByteReader): ArtNode {
  const kind = reader.readInt8();
  const count = reader.readInt16();
  const prefix = reader.readBytes(reader.readInt8());
  if (kind === LEAF) {
    const key = reader.readBytes(KEY_BYTES);
    return { kind: LEAF, key, place: Number(reader.readInt64()) };
  }
  const bytes: number[] = [];
  const slots: number[] = [];
  switch (kind) {
    case NODE4:
      bytes.push(...reversed(reader, 4).slice(0, count));
      break;
    case NODE16: {
      bytes.push(...[...reversed(reader, 8), ...reversed(reader, 8)].slice(0, count));
      break;
    }
    case NODE48:
      for (let i = 0; i < 256; i += 8) {
        reversed(reader, 8).forEach((slot, k) => {
          if (slot === NO_SLOT) return;
          bytes.push(i + k);
          slots.push(slot);
        });
      }
      break;
    case NODE256: {
      const mask = reader.readBytes(32);
      for (let byte = 0; byte < 256; byte++) if ((mask[byte >> 3]! & (1 << (byte & 7))) !== 0) bytes.push(byte);
      break;
    }
    default:
      throw new Error(`${kind} is no kind of node`);
  }
  if (bytes.length !== count) throw new Error(`a node of ${count} children has ${bytes.length}`);
  const children = bytes.map(() => readArt(reader));
  return { kind, prefix, bytes, children, slots };
}

/** Bytes that stand in an integer, the first one highest, and integers are little-endian. */
function reversed(reader: ByteReader, count: number): number[] {
  return [...reader.readBytes(count)].reverse();
}

/** Writes a tree. */
export function writeArt(out: ByteWriter, node: ArtNode): void {
  out.writeInt8(node.kind);
  if (isLeaf(node)) {
    out.writeInt16(0);
    out.writeInt8(0);
    out.writeBytes(node.key);
    out.writeInt64(BigInt(node.place));
    return;
  }
  const { kind, prefix, bytes, children, slots } = node;
  out.writeInt16(children.length);
  out.writeInt8(prefix.length);
  out.writeBytes(prefix);
  switch (kind) {
    case NODE4:
      writeReversed(out, bytes, 4);
      break;
    case NODE16:
      writeReversed(out, bytes, 8);
      writeReversed(out, bytes.slice(8), 8);
      break;
    case NODE48: {
      const all: number[] = new Array(256).fill(NO_SLOT);
      bytes.forEach((byte, i) => all[byte] = slots[i]!);
      for (let i = 0; i < 256; i += 8) writeReversed(out, all.slice(i), 8);
      break;
    }
    case NODE256: {
      const mask = new Uint8Array(32);
      for (const byte of bytes) mask[byte >> 3]! |= 1 << (byte & 7);
      out.writeBytes(mask);
    }
  }
  for (const child of children) writeArt(out, child);
}

function writeReversed(out: ByteWriter, bytes: readonly number[], count: number): void {
  for (let i = count - 1; i >= 0; i--) out.writeInt8(bytes[i] ?? 0);
}
