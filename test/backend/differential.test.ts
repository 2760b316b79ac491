/**
 * Random programs of interleaved transactions do the same on the backends as on the reference model: every answer, error and
 * conflict, and the rows in the end. Left out is what may differ: when a watch notices, and which of two commits that are
 * sent at the same time comes first. `STILLWATER_PROGRAMS=5000` runs more, `STILLWATER_SEED` others.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ReferenceDatabase } from "../../sim/model/database/reference-database.js";
import { openEtcdDatabase } from "../../src/backend/etcd/database.js";
import { openFoundationDatabase } from "../../src/backend/foundationdb/database.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Platform } from "../../src/platform/platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Database } from "../../src/transaction/transaction.js";
import { programs } from "../transaction/differential/program.js";
import { runProgram } from "../transaction/differential/run.js";
import { FakeEtcd } from "./fake-etcd.js";
import { fakeFoundationdb } from "./fake-foundationdb.js";

const PROGRAMS = Number(process.env["STILLWATER_PROGRAMS"] ?? 100);
const SEED = Number(process.env["STILLWATER_SEED"] ?? 1);
const base = nodePlatform({ vfs: await createMemoryVFS() });
/** Nobody gets old. */
const platform: Platform = { ...base, clock: { nowMs: () => 0, wallMs: () => 0 } };

const LEFT_OUT: ReadonlySet<string> = new Set(["watch", "commitAll"]);

async function sameAsReference(db: Database, leftOut: readonly string[], mayBeLate: boolean): Promise<void> {
  const model = new ReferenceDatabase(platform);
  const known = programs.map((program) =>
    program
      .filter(({ operation: { kind } }) => !LEFT_OUT.has(kind) && !leftOut.includes(kind))
      .map((step) => ({ ...step, late: step.late && mayBeLate })),
  );
  await fc.assert(
    fc.asyncProperty(known, async (program) => {
      expect(await runProgram(db, program)).toEqual(await runProgram(model, program));
    }),
    { numRuns: PROGRAMS, seed: SEED },
  );
}

test("etcd does what the reference model does", async () => {
  const etcd = new FakeEtcd();
  await using db = await openEtcdDatabase(
    { hosts: etcd.hosts, maxOperations: 20_000 },
    platform,
    etcd.connect,
  );
  // Which error came last is a matter of time, where answers take some.
  await sameAsReference(db, ["onError"], true);
}, 600_000);

test("the FoundationDB backend over the engine does what the reference model does", async () => {
  await using engine = await openEngineDatabase("/below", {}, platform);
  await using db = await openFoundationDatabase({}, fakeFoundationdb(engine));
  // Once off, it stays off there.
  await sameAsReference(db, ["readYourWrites"], false);
}, 600_000);
