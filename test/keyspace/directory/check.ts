/**
 * Looks at the rows of a whole tree of directories and lists what is wrong with it, knowing the layout and nothing of the
 * code: every node is linked from exactly one place, no prefix begins with another, nothing is left of what is gone.
 */
import { Subspace } from "../../../src/keyspace/subspace.js";
import type { TupleElement } from "../../../src/keyspace/tuple-elements.js";
import type { Database, KeyValue } from "../../../src/transaction/transaction.js";
import { hex } from "./support.js";

export interface FoundTree {
  /** Of every directory but partitions: its path and prefix. */
  readonly directories: readonly { readonly path: readonly string[]; readonly prefix: string }[];
  readonly faults: readonly string[];
}

/** Keys outside the nodes are taken for contents: each must lie in a directory. */
export async function checkTree(db: Database): Promise<FoundTree> {
  const rows = await db.read((tx) => tx.getRangeAll(new Uint8Array(0), Uint8Array.of(0xff)));
  const faults: string[] = [];
  const directories: { path: readonly string[]; prefix: string }[] = [];
  const known = new Set<string>();
  readTree(rows, new Uint8Array(0), [], { faults, directories, known });
  for (const [key] of rows) {
    const text = hex(key);
    if (known.has(text) || directories.some(({ prefix }) => text.startsWith(prefix))) continue;
    faults.push(`the key ${text} belongs to nothing`);
  }
  return { directories, faults };
}

interface Findings {
  readonly faults: string[];
  readonly directories: { path: readonly string[]; prefix: string }[];
  /** Keys of nodes. */
  readonly known: Set<string>;
}

function readTree(
  rows: readonly KeyValue[],
  base: Uint8Array,
  path: readonly string[],
  found: Findings,
): void {
  const nodes = Subspace.raw(Uint8Array.of(...base, 0xfe));
  const root = hex(nodes.prefix);
  const links = new Map<string, { parent: string; name: string }>();
  const layers = new Map<string, Uint8Array>();
  for (const [key, value] of rows) {
    if (!nodes.contains(key)) continue;
    found.known.add(hex(key));
    const [node, ...rest] = nodes.unpack(key) as [Uint8Array, ...TupleElement[]];
    const name = rest[0] instanceof Uint8Array ? Buffer.from(rest[0]).toString() : rest[0];
    if (name === 0 && typeof rest[1] === "string") {
      if (links.has(hex(value))) found.faults.push(`two links to ${hex(value)}`);
      links.set(hex(value), { parent: hex(node), name: rest[1] });
    } else if (name === "layer") layers.set(hex(node), value);
    else if (hex(node) !== root || !(name === "version" || name === "hca"))
      found.faults.push(`the row ${hex(key)}`);
  }
  const prefixes = [...layers.keys()].sort();
  for (const [i, prefix] of prefixes.entries()) {
    if (!links.has(prefix)) found.faults.push(`no link to the node ${prefix}`);
    const before = prefixes[i - 1];
    if (before !== undefined && prefix.startsWith(before))
      found.faults.push(`${prefix} begins with ${before}`);
  }
  for (const [prefix, { parent, name }] of links) {
    if (!layers.has(prefix)) found.faults.push(`${name} is linked to ${prefix}, which is no node`);
    if (parent !== root && !layers.has(parent))
      found.faults.push(`${name} is in ${parent}, which is no node`);
  }
  for (const [prefix, layer] of layers) {
    const names = pathOf(prefix, links, root);
    if (names === null) {
      found.faults.push(`the node ${prefix} is not below the root`);
      continue;
    }
    const full = [...path, ...names];
    if (Buffer.from(layer).toString() === "partition") {
      const inner = new Uint8Array(Buffer.from(prefix, "hex"));
      readTree(rows, inner, full, found);
    } else found.directories.push({ path: full, prefix });
  }
}

/** Null when it goes round in circles or ends nowhere. */
function pathOf(
  prefix: string,
  links: ReadonlyMap<string, { parent: string; name: string }>,
  root: string,
): string[] | null {
  const names: string[] = [];
  for (let at = prefix; at !== root; ) {
    const link = links.get(at);
    if (link === undefined || names.length > links.size) return null;
    names.unshift(link.name);
    at = link.parent;
  }
  return names;
}
