/**
 * `MemoryVFS`: `NodeVFS` over a fresh memfs volume. For tests, demonstrations and short-lived data: everything is
 * gone with the process, and sync does nothing. Its root is "/".
 * memfs is loaded only when the first volume is made, so that who does not use this needs no such package.
 * Owns the places where memfs answers otherwise than POSIX, which are put right here. Does not own: crashes and
 * faults (`SimulationVFS` in `sim/disk`).
 */
import { setImmediate } from "node:timers";
import { StillwaterError } from "./errors.js";
import { volumeDirectoryLocks } from "./node/directory-lock.js";
import { errnoOf, systemError } from "./node/errno.js";
import type { NodeFileSystem } from "./node/node-file-system.js";
import { NodeVFS } from "./node/node-vfs.js";
import type { VFS } from "./vfs.js";

/** Makes an empty volume of its own. Rejects with `NOT_FOUND` when the package memfs is not installed. */
export async function createMemoryVFS(load: () => Promise<Memfs> = () => import("memfs")): Promise<VFS> {
  let memfs: Memfs;
  try {
    memfs = await load();
  } catch (cause) {
    const message = "MemoryVFS needs the package memfs, which could not be loaded. Run: npm install memfs";
    throw new StillwaterError("NOT_FOUND", message, { cause, operation: "createMemoryVFS" });
  }
  const volume = posixVolume(memfs.createFsFromVolume(new memfs.Volume()));
  // It answers as POSIX does, whatever system it is on.
  return new NodeVFS(volume, volumeDirectoryLocks(volume), { permanence: false, system: "linux" });
}

/** What is used of memfs. */
type Memfs = Pick<typeof import("memfs"), "Volume" | "createFsFromVolume">;

/** memfs with the answers that `rename(2)`, `link(2)`, `unlink(2)` and `readdir(3)` give, and truly late callbacks. */
function posixVolume(volume: ReturnType<Memfs["createFsFromVolume"]>): NodeFileSystem {
  const kindOf = (path: string): "file" | "directory" | "nothing" => {
    try {
      return volume.statSync(path).isDirectory() ? "directory" : "file";
    } catch (error) {
      if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return "nothing";
      throw error;
    }
  };
  return {
    constants: volume.constants,
    openSync: (path, flags, mode) => volume.openSync(path, flags, mode),
    closeSync: (descriptor) => volume.closeSync(descriptor),
    readSync: (descriptor, target, targetStart, length, position) =>
      volume.readSync(descriptor, target, targetStart, length, position),
    writeSync: (descriptor, source, sourceStart, length, position) =>
      volume.writeSync(descriptor, source, sourceStart, length, position),
    // memfs answers before the microtasks that wait already; a disk never does.
    read: (descriptor, target, targetStart, length, position, done) => {
      setImmediate(() => {
        volume.read(descriptor, target, targetStart, length, position, (error, bytesRead) =>
          done(error ?? null, bytesRead ?? 0),
        );
      });
    },
    fdatasync: (descriptor, done) => {
      setImmediate(() => volume.fdatasync(descriptor, (error) => done(error ?? null)));
    },
    ftruncateSync: (descriptor, size) => volume.ftruncateSync(descriptor, size),
    fdatasyncSync: (descriptor) => volume.fdatasyncSync(descriptor),
    fsyncSync: (descriptor) => volume.fsyncSync(descriptor),
    fstatSync: (descriptor) => volume.fstatSync(descriptor),
    statSync: (path) => volume.statSync(path),
    readdirSync: (path) => {
      if (kindOf(path) === "file") throw systemError("ENOTDIR", "scandir", path);
      return volume.readdirSync(path, "utf8") as string[];
    },
    renameSync: (from, to) => {
      const source = kindOf(from);
      const target = kindOf(to);
      if (source === "file" && target === "directory") throw systemError("EISDIR", "rename", from);
      if (source === "directory" && target === "file") throw systemError("ENOTDIR", "rename", from);
      if (source === "directory" && `${to}/`.startsWith(`${from}/`)) {
        if (to === from) return;
        throw systemError("EINVAL", "rename", from);
      }
      if (source === "directory" && target === "directory") {
        // Fails with ENOTEMPTY, as rename does, where something is in it.
        volume.rmdirSync(to);
      }
      if (source === "file" && target === "file") {
        // Two names of one file: POSIX does nothing, and both names stay.
        if (volume.statSync(from).ino === volume.statSync(to).ino) return;
      }
      volume.renameSync(from, to);
    },
    linkSync: (from, to) => {
      if (kindOf(from) === "directory") throw systemError("EPERM", "link", from);
      volume.linkSync(from, to);
    },
    unlinkSync: (path) => volume.unlinkSync(path),
    mkdirSync: (path) => volume.mkdirSync(path),
    rmdirSync: (path) => volume.rmdirSync(path),
    readFileSync: (path, encoding) => volume.readFileSync(path, encoding) as string,
    writeFileSync: (path, text) => volume.writeFileSync(path, text),
  };
}
