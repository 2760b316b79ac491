import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RecordedDisk } from "../../../sim/disk/disk-recorder.js";
import type { FileNode } from "../../../sim/disk/file-node.js";
import type { DirectoryNode } from "../../../sim/disk/name-log.js";
import type { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { Recorder } from "../../../sim/viewer/recorder.js";
import type { Headline } from "../../../sim/viewer/trace-model.js";
import { type DiskAtStep, TraceReader } from "../../../sim/viewer/trace-reader.js";
import type { VFS } from "../../../src/platform/vfs.js";
import { type ProgramStep, roughDisk, runProgram } from "./random-run.js";

const PASSED: Headline = { subject: "a test", failure: null, rootCause: null, reproduce: "", facts: [] };

const step: fc.Arbitrary<ProgramStep> = fc.record({
  call: fc.nat(17),
  file: fc.nat(4),
  other: fc.nat(4),
  at: fc.oneof(fc.nat(600), fc.nat(20_000)),
  length: fc.oneof(fc.nat(50), fc.nat(9000)),
});

describe("the reconstruction of a recorded run", () => {
  it("is the simulated disk, both views, names and bytes, after every step of random runs", () => {
    let compared = 0;
    fc.assert(
      fc.property(fc.nat(1000), fc.array(step, { minLength: 40, maxLength: 160 }), (seed, program) => {
        const recorder = new Recorder({ classify: null, lanes: [] });
        const real: string[] = [];
        runProgram(seed, roughDisk(seed), program, recorder, (disk, recorded) => {
          real[recorder.steps - 1] = dumpOfDisk(disk, recorded);
        });
        const recorded = recorder.finish(PASSED);
        const reader = new TraceReader(recorded);
        real.forEach((expected, at) => expect(dumpOfModel(reader, reader.goTo(at))).toBe(expected));
        compared += real.length;
        // Backwards and across, through key frames.
        for (let at = real.length - 1; at >= 0; at -= 7) {
          expect(dumpOfModel(reader, reader.goTo(at))).toBe(real[at]);
        }
      }),
      { numRuns: 60 },
    );
    expect(compared).toBeGreaterThan(1000);
  });

  it("goes through key frames in long runs, which stay small beside the changes", () => {
    const program: ProgramStep[] = [];
    for (let i = 0; i < 6000; i++) {
      program.push({
        call: (i * 7) % 18,
        file: i % 5,
        other: (i * 3) % 5,
        at: (i * 37) % 9000,
        length: i % 700,
      });
    }
    const recorder = new Recorder({ classify: null, lanes: [] });
    const real: string[] = [];
    runProgram(4, roughDisk(4), program, recorder, (disk, recorded) => {
      if (recorder.steps % 50 === 0) real[recorder.steps - 1] = dumpOfDisk(disk, recorded);
    });
    const recorded = recorder.finish(PASSED);
    const { keyFrames, changes } = recorded.model;
    expect(keyFrames.step.length).toBeGreaterThan(4);
    expect(keyFrames.changes.length).toBeLessThan(changes.length);
    const reader = new TraceReader(recorded);
    for (const at of Object.keys(real).map(Number).reverse()) {
      expect(dumpOfModel(reader, reader.goTo(at))).toBe(real[at]);
    }
  });
});

/** Both trees as text, bytes as digests. Reads the disk itself for what processes see, its own durable view for the rest. */
function dumpOfDisk(disk: SimulationDisk, { names }: RecordedDisk): string {
  const lines: string[] = [];
  const walk = (directory: DirectoryNode, path: string): void => {
    for (const [name, node] of directory.entries) {
      if (node.kind === "directory") {
        lines.push(`volatile ${path}${name}/`);
        walk(node, `${path}${name}/`);
      } else lines.push(`volatile ${path}${name} ${digestOf(volatileBytes(node))}`);
    }
  };
  walk(names.root, "/");
  walkDurable(disk.snapshotDurable(), "/", lines);
  return lines.sort().join("\n");
}

function volatileBytes(file: FileNode): Uint8Array {
  const bytes = new Uint8Array(file.size);
  file.read(bytes, 0, bytes.length, 0);
  return bytes;
}

function walkDurable(vfs: VFS, path: string, lines: string[]): void {
  for (const name of vfs.list(path)) {
    const inside = `${path}${name}`;
    if (vfs.stat(inside)?.kind === "directory") {
      lines.push(`durable ${inside}/`);
      walkDurable(vfs, `${inside}/`, lines);
      continue;
    }
    const file = vfs.openFile(inside, "read");
    const bytes = new Uint8Array(file.size());
    file.read(bytes, 0, bytes.length, 0);
    file.close();
    lines.push(`durable ${inside} ${digestOf(bytes)}`);
  }
}

function dumpOfModel(reader: TraceReader, state: DiskAtStep): string {
  const lines: string[] = [];
  const walk = (view: "volatile" | "durable", directory: number, path: string): void => {
    for (const [name, node] of state.directories.get(directory)?.[view] ?? []) {
      if (reader.isDirectoryNode(node)) {
        lines.push(`${view} ${path}${name}/`);
        walk(view, node, `${path}${name}/`);
        continue;
      }
      const file = state.files.get(node);
      const size = (view === "volatile" ? file?.volatileSize : file?.durableSize) ?? 0;
      const bytes = new Uint8Array(size);
      if (file !== undefined) reader.read(file, view, bytes, 0);
      lines.push(`${view} ${path}${name} ${digestOf(bytes)}`);
    }
  };
  const [root] = reader.model.directories;
  if (root !== undefined) for (const view of ["volatile", "durable"] as const) walk(view, root, "/");
  return lines.sort().join("\n");
}

function digestOf(bytes: Uint8Array): string {
  return `${bytes.length} ${createHash("sha1").update(bytes).digest("hex")}`;
}
