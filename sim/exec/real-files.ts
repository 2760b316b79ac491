/**
 * The real files of the mounted directory, brought onto the simulated disk when a process first looks into a directory:
 * names and bytes, durable at once. So a program may run in the middle of its sources, and pays only for what it
 * touches. Never brought along: `node_modules` and `.git`, which stay real and read-only. Does not own: which paths are
 * simulated at all (`router.ts`).
 */
import realFS from "node:fs";
import { join } from "node:path";
import type { DirectoryNode } from "../disk/name-log.js";
import type { NodeMachine } from "../node-fs/machine.js";
import { NEVER_SIMULATED, onRealFiles } from "./router.js";
import type { BaseEntry } from "./tape.js";

/** Taken before anybody puts other functions in their place. */
const { existsSync, readdirSync, readFileSync, readlinkSync, statSync } = realFS;

const FILE_BYTES_MAX = 256 * 1024 * 1024;

export class RealFiles {
  /** Everything that was brought along, in order. */
  readonly base: BaseEntry[] = [];
  readonly #mount: string;

  constructor(mount: string) {
    this.#mount = mount;
  }

  /** Makes the way to the mounted directory, on a new machine. */
  prepare(machine: NodeMachine): void {
    const parts = this.#mount.split("/").filter((part) => part !== "");
    parts.forEach((_, index) => {
      const path = `/${parts.slice(0, index + 1).join("/")}`;
      this.#add(machine, {
        path,
        kind: "directory",
        ...(path === this.#mount ? { unread: this.#isThere() } : {}),
      });
    });
  }

  /** Called when a process looks into a directory. */
  enter(machine: NodeMachine, directory: DirectoryNode, path: string): void {
    if (!machine.unread.delete(directory.id)) return;
    const was = this.base.findIndex((entry) => entry.path === path && entry.unread === true);
    if (was >= 0) this.base[was] = { path, kind: "directory" };
    onRealFiles(() => this.#bring(machine, path));
  }

  #bring(machine: NodeMachine, path: string): void {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (NEVER_SIMULATED.has(entry.name)) continue;
      const inner = join(path, entry.name);
      if (entry.isDirectory()) this.#add(machine, { path: inner, kind: "directory", unread: true });
      else if (entry.isSymbolicLink())
        this.#add(machine, { path: inner, kind: "symlink", content: readlinkSync(inner) });
      else if (entry.isFile()) this.#add(machine, { path: inner, kind: "file", content: readWhole(inner) });
    }
  }

  #isThere(): boolean {
    return existsSync(this.#mount) && statSync(this.#mount).isDirectory();
  }

  #add(machine: NodeMachine, entry: BaseEntry): void {
    this.base.push(entry);
    machine.provide(entry);
  }
}

function readWhole(path: string): Uint8Array {
  const { size } = statSync(path);
  if (size > FILE_BYTES_MAX) {
    throw new Error(
      `${path} is too large for a simulated disk (${size} bytes). Mount a smaller directory: --mount DIR.`,
    );
  }
  return readFileSync(path);
}
