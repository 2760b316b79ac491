/**
 * What survives a power loss of what was done through `node:fs`: file and name are made durable apart, and the calls
 * that sync are those that Node programs use. The legal states themselves are tested with the disk.
 */
import { expect, it } from "vitest";
import type { SimulatedFS } from "../../../sim/node-fs/node-fs.js";
import { nodeFS, simulatedMachine } from "./both.js";

/** What is durable now: the tree that the next process finds when everything unsynced is lost. */
function durable(work: (fs: SimulatedFS) => void): Record<string, string> {
  const { simulated, machine } = simulatedMachine();
  simulated.mkdirSync("/data");
  syncFolder(simulated, "/");
  work(simulated);
  const view = machine.disk.snapshotDurable();
  return Object.fromEntries(
    view.list("/data").map((name) => {
      const file = view.openFile(`/data/${name}`, "read");
      const bytes = Buffer.alloc(file.size());
      file.read(bytes, 0, bytes.length, 0);
      return [name, bytes.toString()];
    }),
  );
}

function syncFolder(fs: SimulatedFS, path: string): void {
  const fd = fs.openSync(path, "r");
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

function syncFile(fs: SimulatedFS, path: string): void {
  const fd = fs.openSync(path, "r+");
  fs.fdatasyncSync(fd);
  fs.closeSync(fd);
}

it("writeFile alone makes nothing durable", () => {
  expect(durable((fs) => fs.writeFileSync("/data/a", "text"))).toEqual({});
});

it("a synced file without a synced name is lost, a synced name without a synced file is empty", () => {
  expect(durable((fs) => fs.writeFileSync("/data/a", "text", { flush: true }))).toEqual({});
  const named = durable((fs) => {
    fs.writeFileSync("/data/a", "text");
    syncFolder(fs, "/data");
  });
  expect(named).toEqual({ a: "" });
});

it("write, sync, rename, sync the folder: durable under the new name only", () => {
  const replaced = durable((fs) => {
    fs.writeFileSync("/data/a", "old", { flush: true });
    syncFolder(fs, "/data");
    fs.writeFileSync("/data/a.tmp", "new");
    syncFile(fs, "/data/a.tmp");
    fs.renameSync("/data/a.tmp", "/data/a");
    syncFolder(fs, "/data");
  });
  expect(replaced).toEqual({ a: "new" });
});

it("rename without a sync of the file shows the new name with nothing in it", () => {
  const replaced = durable((fs) => {
    fs.writeFileSync("/data/a", "old", { flush: true });
    syncFolder(fs, "/data");
    fs.writeFileSync("/data/a.tmp", "new");
    fs.renameSync("/data/a.tmp", "/data/a");
    syncFolder(fs, "/data");
  });
  expect(replaced).toEqual({ a: "" });
});

it("a folder that was renamed after it was opened is synced where it is now", () => {
  const kept = durable((fs) => {
    fs.mkdirSync("/other");
    const fd = fs.openSync("/other", "r");
    fs.rmdirSync("/data");
    fs.renameSync("/other", "/data");
    fs.writeFileSync("/data/a", "text", { flush: true });
    syncFolder(fs, "/");
    fs.fsyncSync(fd);
  });
  expect(kept).toEqual({ a: "text" });
});

it("after a crash every call of the former process fails, and the next process has its own descriptors", () => {
  const { simulated, machine } = simulatedMachine();
  const fd = simulated.openSync("/a", "w");
  machine.crash("process-kill");
  expect(() => simulated.writeSync(fd, "x")).toThrow("simulated process has ended");
  const next = nodeFS(machine);
  expect(() => next.writeSync(fd, "x")).toThrow("EBADF");
  expect(next.readdirSync("/")).toEqual(["a"]);
});
