/**
 * Random sequences of operations, in transactions that commit or are given up, against a tree in memory: the same answers,
 * the same refusals, and in the end the same tree with its contents and nothing else.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { DirectoryLayer } from "../../src/keyspace/directory-layer.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Database, Transaction } from "../../src/transaction/transaction.js";
import { checkTree } from "./directory/check.js";
import { hex, layerOf } from "./directory/support.js";

type Path = readonly string[];

interface Node {
  /** What is written into the directory when it is created; null for a parent made on the way, and for a partition. */
  readonly id: number | null;
  readonly layer: string;
  readonly children: Map<string, Node>;
}

class Tree {
  root: Node = { id: null, layer: "", children: new Map() };
  nextId = 1;

  find(path: Path): Node | null {
    let node: Node | undefined = this.root;
    for (const name of path) node = node?.children.get(name);
    return node ?? null;
  }

  /** The path of the partition that `path` lies in, which is not that of `path` itself. */
  home(path: Path): string {
    const inside = path
      .map((_, i) => path.slice(0, i))
      .filter((one) => this.find(one)?.layer === "partition");
    return JSON.stringify(inside.at(-1) ?? []);
  }

  add(path: Path, layer: string, id: number | null): Node {
    const parent = this.find(path.slice(0, -1)) ?? this.add(path.slice(0, -1), "", null);
    const node: Node = { id, layer, children: new Map() };
    parent.children.set(path.at(-1) as string, node);
    return node;
  }

  remove(path: Path): void {
    this.find(path.slice(0, -1))?.children.delete(path.at(-1) as string);
  }

  copy(): Tree {
    const tree = new Tree();
    const copyOf = (node: Node): Node => ({
      ...node,
      children: new Map([...node.children].map(([name, child]) => [name, copyOf(child)])),
    });
    tree.root = copyOf(this.root);
    tree.nextId = this.nextId;
    return tree;
  }
}

type Step =
  | { readonly kind: "create" | "createOrOpen" | "open"; readonly path: Path; readonly layer: string }
  | { readonly kind: "move"; readonly path: Path; readonly to: Path }
  | { readonly kind: "remove" | "removeIfExists" | "exists" | "list"; readonly path: Path };

const path = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 4 });
const layer = fc.constantFrom("", "", "", "x", "partition");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("create", "createOrOpen"), path, layer }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("open"), path, layer }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("move"), path, to: path }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("remove", "removeIfExists", "exists", "list"), path }),
  },
);
const attempts = fc.array(
  fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 6 }), commits: fc.boolean() }),
  {
    maxLength: 8,
  },
);

test("a tree of directories is what the operations on it made of it", async () => {
  await fc.assert(
    fc.asyncProperty(attempts, fc.nat(), async (all, seed) => {
      await using db = await open();
      const layer = layerOf(seed);
      let tree = new Tree();
      for (const { steps, commits } of all) {
        const tx = db.createTransaction();
        const attempt = tree.copy();
        for (const one of steps) await runBoth(layer, tx, attempt, one);
        if (!commits) tx.cancel();
        else {
          await tx.commit();
          tree = attempt;
        }
      }
      await expectSame(db, tree);
    }),
    { numRuns: 40 },
  );
});

test("whatever many do at a time, the tree stays whole and everything belongs to something", async () => {
  const script = fc.array(step, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 2, maxLength: 6 }), fc.nat(), async (scripts, seed) => {
      await using db = await open();
      const run = async (steps: readonly Step[], number: number): Promise<void> => {
        const layer = layerOf(seed + number);
        for (const one of steps) {
          await db
            .transact((tx) => perform(layer, tx, one, () => number), { retryLimit: -1, timeoutMs: 0 })
            .catch((error: { code: string }) => expect(error.code).toMatch(/^DIRECTORY_/));
        }
      };
      await Promise.all(scripts.map(run));
      expect((await checkTree(db)).faults).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

async function open(): Promise<Database> {
  const store = { memtableBytes: 1 << 20, blockCacheBytes: 1 << 20 };
  return openEngineDatabase("/db", { store }, nodePlatform({ vfs: await createMemoryVFS() }));
}

const KEY = "id";

/** What the step answers. A directory that it creates gets a row with the number `idOf` gives. */
async function perform(
  layer: DirectoryLayer,
  tx: Transaction,
  step: Step,
  idOf: () => number,
): Promise<unknown> {
  switch (step.kind) {
    case "create":
    case "createOrOpen":
    case "open": {
      const isNew = step.kind !== "open" && step.path.length > 0 && !(await layer.exists(tx, step.path));
      const options = { layer: step.layer };
      const directory = await layer[step.kind](tx, step.path, options);
      if (isNew && step.layer !== "partition") tx.set(directory.pack([KEY]), Buffer.from(String(idOf())));
      return Buffer.from(directory.layer).toString();
    }
    case "move":
      return Buffer.from((await layer.move(tx, step.path, step.to)).layer).toString();
    default:
      return layer[step.kind](tx, step.path);
  }
}

async function runBoth(layer: DirectoryLayer, tx: Transaction, tree: Tree, step: Step): Promise<void> {
  const refusals = reasonsAgainst(tree, step);
  const expected = refusals.length > 0 ? null : apply(tree, step);
  const answer = await perform(layer, tx, step, () => tree.find(step.path)?.id as number).then(
    (value) => ({ value }),
    (error: { code: string }) => ({ code: error.code }),
  );
  const what = JSON.stringify(step);
  if (expected !== null) expect(answer, what).toEqual({ value: expected.value });
  else expect(refusals, `${what}: ${JSON.stringify(answer)}`).toContain((answer as { code: string }).code);
}

/** Every rule that the step breaks. */
function reasonsAgainst(tree: Tree, step: Step): string[] {
  const reasons: string[] = [];
  const { kind, path } = step;
  const there = tree.find(path);
  const isReading = kind === "exists" || kind === "list";
  if (path.length === 0 && !isReading) reasons.push("DIRECTORY_IS_ROOT");
  if (there === null && ["open", "move", "remove", "list"].includes(kind))
    reasons.push("DIRECTORY_NOT_FOUND");
  if (there !== null && kind === "create") reasons.push("DIRECTORY_EXISTS");
  if ((kind === "createOrOpen" || kind === "open") && there !== null) {
    if (step.layer !== "" && there.layer !== step.layer) reasons.push("DIRECTORY_LAYER_MISMATCH");
  }
  if (kind !== "move") return reasons;
  const { to } = step;
  if (path.every((name, i) => name === to[i])) reasons.push("DIRECTORY_MOVE_INTO_ITSELF");
  if (tree.find(to) !== null) reasons.push("DIRECTORY_EXISTS");
  else if (tree.find(to.slice(0, -1)) === null) reasons.push("DIRECTORY_PARENT_NOT_FOUND");
  if (tree.home(path) !== tree.home(to)) reasons.push("DIRECTORY_ACROSS_PARTITIONS");
  return reasons;
}

function apply(tree: Tree, step: Step): { readonly value: unknown } {
  const { kind, path } = step;
  const there = tree.find(path);
  switch (kind) {
    case "create":
    case "createOrOpen":
    case "open":
      return {
        value: (there ?? tree.add(path, step.layer, step.layer === "partition" ? null : tree.nextId++)).layer,
      };
    case "move": {
      tree.remove(path);
      tree.find(step.to.slice(0, -1))?.children.set(step.to.at(-1) as string, there as Node);
      return { value: there?.layer };
    }
    case "remove":
    case "removeIfExists":
      tree.remove(path);
      return { value: kind === "remove" ? undefined : there !== null };
    case "exists":
      return { value: there !== null };
    case "list":
      return { value: [...(there as Node).children.keys()].sort() };
  }
}

/** The tree, and each directory's row, are in the database; nothing else is. */
async function expectSame(db: Database, tree: Tree): Promise<void> {
  const { directories, faults } = await checkTree(db);
  expect(faults).toEqual([]);
  const expected: string[] = [];
  const written: string[] = [];
  const walk = (node: Node, path: Path): void => {
    if (node.layer !== "partition" && path.length > 0) expected.push(path.join("/"));
    if (node.id !== null) written.push(`${path.join("/")}=${node.id}`);
    for (const [name, child] of node.children) walk(child, [...path, name]);
  };
  walk(tree.root, []);
  expect(directories.map((one) => one.path.join("/")).sort()).toEqual(expected.sort());
  const rows = await db.read((tx) => tx.getRangeAll(new Uint8Array(0), Uint8Array.of(0xfe)));
  const contents = rows.filter(([key]) => hex(key).endsWith(ID_SUFFIX) && !hex(key).includes("fe01"));
  const found = contents.map(([key, value]) => {
    const directory = directories.find(({ prefix }) => hex(key) === prefix + ID_SUFFIX);
    return `${directory?.path.join("/")}=${Buffer.from(value)}`;
  });
  expect(found.sort()).toEqual(written.sort());
}

/** "id" as a text of a tuple. */
const ID_SUFFIX = "02696400";
