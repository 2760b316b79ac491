/**
 * The simulator against the real file system (oracle O29): the same random calls, the same answers.
 * Verifies: results, error codes, their paths and operations, and the tree that is left.
 * Does not verify: durability, faults, time.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { SimulatedCrash } from "../../../sim/disk/errors.js";
import { StillwaterError } from "../../../src/platform/errors.js";
import { NodeVFS } from "../../../src/platform/node/node-vfs.js";
import { joinPath } from "../../../src/platform/path.js";
import type { VFile, VFS } from "../../../src/platform/vfs.js";
import { machine } from "./machine.js";

type Call =
  | { readonly op: "createFile" | "removeFile" | "makeDirectory" | "removeDirectory"; readonly path: string }
  | { readonly op: "list" | "syncDirectory" | "stat"; readonly path: string }
  | { readonly op: "openFile"; readonly path: string; readonly mode: "read" | "readWrite" }
  | { readonly op: "rename" | "link"; readonly path: string; readonly to: string }
  | { readonly op: "write"; readonly handle: number; readonly position: number; readonly length: number }
  | { readonly op: "read"; readonly handle: number; readonly position: number; readonly length: number }
  | { readonly op: "truncate"; readonly handle: number; readonly size: number }
  | { readonly op: "syncData" | "size" | "close"; readonly handle: number };

// Few names, so that calls meet; odd spellings, since the walk along a path has answers of its own.
const path = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("a", "b", "d", "e", "d/a", "d/b", "e/a", "d/e", "d/e/a", "e/d") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("d/", "a/", "./a", "d/.", "d/../a", "d/e/../a", "none/a", "a/x", "d//a", "e/"),
  },
);
const handle = fc.nat(3);
const place = fc.oneof(fc.nat(40), fc.nat(9000), fc.constantFrom(4095, 4096, 4097, 8192));

const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({
    op: fc.constantFrom("createFile" as const, "createFile" as const, "removeFile" as const),
    path,
  }),
  fc.record({ op: fc.constantFrom("makeDirectory" as const, "removeDirectory" as const), path }),
  fc.record({ op: fc.constantFrom("list" as const, "syncDirectory" as const, "stat" as const), path }),
  fc.record({
    op: fc.constant("openFile" as const),
    path,
    mode: fc.constantFrom("read" as const, "readWrite" as const),
  }),
  fc.record({ op: fc.constantFrom("rename" as const, "rename" as const, "link" as const), path, to: path }),
  fc.record({
    op: fc.constantFrom("write" as const, "read" as const),
    handle,
    position: place,
    length: place,
  }),
  fc.record({ op: fc.constant("truncate" as const), handle, size: place }),
  fc.record({ op: fc.constantFrom("syncData" as const, "size" as const, "close" as const), handle }),
);

/** There from the start, so that more calls get past `NOT_FOUND`. */
const TREE: readonly Call[] = [
  { op: "makeDirectory", path: "d" },
  { op: "makeDirectory", path: "d/e" },
  { op: "makeDirectory", path: "e" },
  { op: "createFile", path: "a" },
  { op: "createFile", path: "d/a" },
];

it("answers any calls as the real file system does", () => {
  fc.assert(
    fc.property(fc.array(call, { minLength: 10, maxLength: 60, size: "max" }), (calls) => {
      const directory = mkdtempSync(join(tmpdir(), "stillwater-differential-"));
      try {
        const simulated = machine(1).disk.mount();
        simulated.makeDirectory("/root");
        const real = new Process(new NodeVFS(), directory);
        const simulation = new Process(simulated, "/root");
        for (const each of TREE) expect(simulation.make(each, 0)).toEqual(real.make(each, 0));
        for (const [index, each] of calls.entries()) {
          expect(simulation.make(each, index), JSON.stringify(each)).toEqual(real.make(each, index));
        }
        expect(simulation.tree("")).toEqual(real.tree(""));
        real.closeAll();
      } finally {
        rmSync(directory, { recursive: true });
      }
    }),
    { numRuns: 80 },
  );
}, 60_000);

/** Makes calls, and tells what came of them in a form that can be compared. */
class Process {
  private readonly vfs: VFS;
  private readonly root: string;
  private readonly handles: VFile[] = [];

  constructor(vfs: VFS, root: string) {
    this.vfs = vfs;
    this.root = root;
  }

  make(made: Call, index: number): unknown {
    try {
      return this.answer(made, index);
    } catch (error) {
      if (error instanceof SimulatedCrash || !(error instanceof StillwaterError)) throw error;
      const { code, operation } = error;
      return { code, operation, path: error.path?.slice(this.root.length) };
    }
  }

  tree(path: string): unknown {
    const at = this.root + path;
    if (this.vfs.stat(at)?.kind === "directory") {
      return this.vfs.list(at).map((name) => [name, this.tree(joinPath(path, name))]);
    }
    const file = this.vfs.openFile(at, "read");
    const content = read(file, 0, file.size());
    file.close();
    return content;
  }

  closeAll(): void {
    for (const file of this.handles) file.close();
  }

  private answer(made: Call, index: number): unknown {
    const { vfs } = this;
    if ("handle" in made) {
      const file = this.handles[this.handles.length - 1 - made.handle];
      return file === undefined ? null : onFile(file, made, index);
    }
    const at = joinPath(this.root, made.path);
    switch (made.op) {
      case "createFile":
        return void this.handles.push(vfs.createFile(at));
      case "openFile":
        return void this.handles.push(vfs.openFile(at, made.mode));
      case "rename":
      case "link":
        return vfs[made.op](at, joinPath(this.root, made.to));
      default:
        return vfs[made.op](at);
    }
  }
}

function onFile(file: VFile, made: Extract<Call, { handle: number }>, index: number): unknown {
  switch (made.op) {
    case "write":
      return file.write(new Uint8Array(made.length).fill(index + 1), 0, made.length, made.position);
    case "read":
      return read(file, made.position, made.length);
    case "truncate":
      return file.truncate(made.size);
    default:
      return file[made.op]();
  }
}

function read(file: VFile, position: number, length: number): string {
  const target = Buffer.alloc(length);
  return target.subarray(0, file.read(target, 0, length, position)).toString("hex");
}
