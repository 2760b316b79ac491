/**
 * Which process holds a listening abstract unix socket, by what the kernel itself says (Linux): `/proc/net/unix` has the
 * socket's inode, and the process that holds it has a descriptor `socket:[inode]`. So the answer needs neither a file
 * that a dead owner may have left nor an owner that is free to answer.
 * Does not own: processes whose descriptors are not ours to see (other users, other namespaces). Then nobody knows.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { errnoOf } from "./errno.js";

/** `likely`: a process to look at first, which saves going through all of them. Null where nobody can tell. */
export function holderOfSocket(name: string, likely: number | null): number | null {
  const inode = listeningInode(name);
  if (inode === null) return null;
  const target = `socket:[${inode}]`;
  if (likely !== null && holds(likely, target)) return likely;
  for (const entry of orEmpty(() => readdirSync("/proc"))) {
    if (/^\d+$/.test(entry) && holds(Number(entry), target)) return Number(entry);
  }
  return null;
}

/** Connections that were accepted bear the name of their listener; only that one has the flag. */
const ACCEPTS_CONNECTIONS = 0x10000;

function listeningInode(name: string): string | null {
  for (const line of orEmpty(() => readFileSync("/proc/net/unix", "utf8").split("\n"))) {
    // Num: RefCount Protocol Flags Type State Inode Path; a name in the abstract space is shown with "@" for its zero.
    const [, , , flags, , , inode, path] = line.split(/\s+/);
    if (path !== `@${name}` || flags === undefined || inode === undefined) continue;
    if ((Number.parseInt(flags, 16) & ACCEPTS_CONNECTIONS) !== 0) return inode;
  }
  return null;
}

function holds(pid: number, target: string): boolean {
  const folder = `/proc/${pid}/fd`;
  return orEmpty(() => readdirSync(folder)).some((descriptor) =>
    orEmpty(() => [readlinkSync(`${folder}/${descriptor}`)]).includes(target),
  );
}

/** Processes end and descriptors close while they are looked at, and some are not ours to see. */
function orEmpty(look: () => string[]): string[] {
  try {
    return look();
  } catch (error) {
    if (errnoOf(error) === "") throw error;
    return [];
  }
}
