/**
 * What another client did: scripts of operations that were run by the directory layer of npm's `foundationdb` 2.0.1 (over a
 * stand-in for its native part), with what it drew, answered or refused, and the rows it left after each. Ours, drawing
 * the same numbers, does the same to the byte. `directory/recorded.json` is its record, not ours.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DirectoryLayer } from "../../src/keyspace/directory-layer.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Database } from "../../src/transaction/transaction.js";
import { hex } from "./directory/support.js";

interface Step {
  readonly kind:
    | "create"
    | "createOrOpen"
    | "open"
    | "move"
    | "remove"
    | "removeIfExists"
    | "exists"
    | "list";
  readonly path: string[];
  readonly to?: string[];
  readonly layer?: string;
  readonly prefix?: string;
  readonly answer: unknown;
  /** Digest of all rows afterwards. */
  readonly rows: string;
}

interface Script {
  readonly draws: number[];
  readonly allowManualPrefixes: boolean;
  readonly steps: readonly Step[];
  readonly rows: readonly string[];
}

const { scripts } = JSON.parse(
  readFileSync(join(import.meta.dirname, "directory/recorded.json"), "utf8"),
) as { scripts: readonly Script[] };

test.each(scripts.map((script, number) => [number, script] as const))(
  "script %i leaves the rows that the other client left",
  async (_number, { draws, allowManualPrefixes, steps, rows }) => {
    await using db = await openEngineDatabase("/db", {}, nodePlatform({ vfs: await createMemoryVFS() }));
    let drawn = 0;
    const layer = DirectoryLayer.create(
      { nextUint32: () => draws[drawn++] as number }, // as many as it had drawn, or the rows differ
      { allowManualPrefixes },
    );
    for (const step of steps) {
      const answer = await perform(layer, db, step).catch((error: { code: string }) => {
        expect(error.code).toMatch(/^DIRECTORY_/);
        return "refused";
      });
      const isRefused = typeof step.answer === "object" && step.answer !== null && "refused" in step.answer;
      expect(answer, JSON.stringify(step)).toEqual(isRefused ? "refused" : step.answer);
      const digest = createHash("sha256")
        .update((await dump(db)).join("\n"))
        .digest("hex");
      expect(digest.slice(0, step.rows.length), JSON.stringify(step)).toBe(step.rows);
    }
    expect(await dump(db)).toEqual(rows);
    expect(drawn).toBe(draws.length);
  },
);

test("the record has refusals and answers of every kind", () => {
  const steps = scripts.flatMap((script) => script.steps);
  const kinds = steps.map(
    ({ kind, answer }) => `${kind}${JSON.stringify(answer).includes("refused") ? "!" : ""}`,
  );
  expect(new Set(kinds).size).toBeGreaterThan(12);
});

async function perform(layer: DirectoryLayer, db: Database, step: Step): Promise<unknown> {
  const { kind, path, to = [], prefix } = step;
  const options = step.layer === undefined ? {} : { layer: step.layer };
  switch (kind) {
    case "create": {
      const given = prefix === undefined ? {} : { prefix: new Uint8Array(Buffer.from(prefix, "hex")) };
      return Buffer.from((await layer.create(db, path, { ...options, ...given })).layer).toString();
    }
    case "createOrOpen":
    case "open":
      return Buffer.from((await layer[kind](db, path, options)).layer).toString();
    case "move":
      return (await layer.move(db, path, to)).path;
    case "remove":
      await layer.remove(db, path);
      return null;
    default:
      return layer[kind](db, path);
  }
}

async function dump(db: Database): Promise<string[]> {
  const rows = await db.read((tx) => tx.getRangeAll(new Uint8Array(0), Uint8Array.of(0xff)));
  return rows.map(([key, value]) => `${hex(key)}=${hex(value)}`);
}
