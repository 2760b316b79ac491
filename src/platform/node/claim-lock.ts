/**
 * The directory lock for systems whose kernel gives Node nothing to hold: each contender writes a claim file that
 * names its process, and a claim counts only while that process lives.
 *
 * Why it excludes: a contender first creates its own claim, then reads all claims. Of two, the later creator
 * must see the earlier one. Claims of dead processes are removed by whoever meets them, which is safe
 * because a claim's name is never used twice; a single well-known file would need a takeover, and every takeover
 * by rename has a window in which a third one slips in. The price: two who come at the same instant may both be
 * refused.
 * Does not own: file systems shared between machines, where process ids mean nothing.
 */
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { joinPath } from "../path.js";
import type { VLock } from "../vfs.js";
import { errnoOf, fileSystemError } from "./errno.js";
import { LOCK_FILE_NAME, lockedError } from "./lock-note.js";
import type { NodeFileSystem } from "./node-file-system.js";

/** What one process can find out about another. */
export interface ProcessProbe {
  exists(pid: number): boolean;
  /** A text that differs for two processes that bear the same number one after the other; "" where unknown. */
  startOf(pid: number): string;
}

/** Throws `LOCKED` when a living process has a claim on the directory. Synchronous: nothing of ours comes between. */
export function claimDirectory(
  fs: NodeFileSystem,
  directory: string,
  probe: ProcessProbe = systemProbe,
): VLock {
  refuseBesideLivingClaim(fs, directory, "", probe);
  const name = claimName(process.pid, probe.startOf(process.pid));
  const path = joinPath(directory, name);
  const { O_CREAT, O_EXCL, O_RDWR } = fs.constants;
  try {
    fs.closeSync(fs.openSync(path, O_CREAT | O_EXCL | O_RDWR, 0o644));
  } catch (error) {
    throw fileSystemError(error, "lockDirectory", path);
  }
  try {
    refuseBesideLivingClaim(fs, directory, name, probe);
  } catch (error) {
    removeClaim(fs, path);
    throw error;
  }
  return { release: async () => removeClaim(fs, path) };
}

/** Looks at all claims but `own`, and removes those of the dead. Throws `LOCKED`. */
function refuseBesideLivingClaim(
  fs: NodeFileSystem,
  directory: string,
  own: string,
  probe: ProcessProbe,
): void {
  for (const name of listNames(fs, directory)) {
    const claim = parseClaim(name);
    if (claim === null || name === own) continue;
    if (isAlive(claim, probe)) throw lockedError(fs, directory, claim.pid);
    removeClaim(fs, joinPath(directory, name));
  }
}

interface Claim {
  readonly pid: number;
  readonly start: string;
}

const CLAIM_PATTERN = new RegExp(`^${LOCK_FILE_NAME}\\.(\\d+)\\.([0-9a-f]{16}|unknown)\\.[0-9a-f]{16}$`);

/** All facts are in the name, which appears at once, while content would be seen half-written. */
function claimName(pid: number, start: string): string {
  return `${LOCK_FILE_NAME}.${pid}.${digest(start)}.${randomBytes(8).toString("hex")}`;
}

function parseClaim(name: string): Claim | null {
  const match = CLAIM_PATTERN.exec(name);
  // Both groups are in every match.
  return match === null ? null : { pid: Number(match[1]), start: match[2] as string };
}

function digest(start: string): string {
  return start === "" ? "unknown" : createHash("sha256").update(start).digest("hex").slice(0, 16);
}

/** In doubt a claim is alive: refusing to open is a nuisance, opening twice is a lost store. */
function isAlive(claim: Claim, probe: ProcessProbe): boolean {
  if (!probe.exists(claim.pid)) return false;
  const start = digest(probe.startOf(claim.pid));
  return start === "unknown" || claim.start === "unknown" || start === claim.start;
}

function listNames(fs: NodeFileSystem, directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    throw fileSystemError(error, "lockDirectory", directory);
  }
}

function removeClaim(fs: NodeFileSystem, path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    // Someone else met the same dead claim.
    if (errnoOf(error) !== "ENOENT") throw fileSystemError(error, "lockDirectory", path);
  }
}

const systemProbe: ProcessProbe = {
  exists(pid) {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      // EPERM: it lives and belongs to someone else.
      return errnoOf(error) !== "ESRCH";
    }
  },
  startOf(pid) {
    try {
      return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
        env: { ...process.env, LC_ALL: "C", TZ: "UTC0" },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    } catch {
      // No ps, or it ended between two looks. Unknown is the careful answer.
      return "";
    }
  },
};
