/**
 * The contract of `VFS` as a suite: every implementation runs it (`describeVFS` once per implementation).
 * Verifies: what each method answers, what it leaves behind, and the shape of its errors.
 * Does not verify: durability (the simulator's own tests do), exclusion between processes (`directory-lock.test.ts`).
 */
import { afterEach, beforeEach, describe } from "vitest";
import type { VFS } from "../../src/platform/vfs.js";
import { Bench } from "./vfs-conformance-bench.js";
import { describeFiles } from "./vfs-conformance-files.js";
import { describeNames } from "./vfs-conformance-names.js";

export interface VFSUnderTest {
  readonly vfs: VFS;
  /** An existing, empty directory. */
  readonly root: string;
  readonly cleanup: () => void | Promise<void>;
}

export function describeVFS(name: string, factory: () => VFSUnderTest | Promise<VFSUnderTest>): void {
  describe(`${name} keeps the contract of VFS`, () => {
    let bench: Bench;
    let cleanup: () => void | Promise<void>;

    beforeEach(async () => {
      const made = await factory();
      bench = new Bench(made.vfs, made.root);
      cleanup = made.cleanup;
    });
    afterEach(async () => {
      await cleanup();
    });

    describeFiles(() => bench);
    describeNames(() => bench);
  });
}
