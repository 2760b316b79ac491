/**
 * Kills the import of a real directory with SIGKILL from outside, again and again at random moments, lets it resume
 * and finish, and compares the result with the directory byte for byte.
 *
 *   node examples/kill-and-resume.mjs [DIRECTORY=node_modules] [KILLS=6]
 *
 * Exit code 1 if anything that had been acknowledged was missing or different after any of the kills.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const [from = "node_modules", kills = "6"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "stillwater-kill-"));
const acks = join(folder, "acks");
const rows = [];
let isSound = true;
try {
  for (let round = 1; round <= Number(kills); round++) {
    const wasKilled = await step(`kill ${round}`, [], Math.random() * 300);
    if (!wasKilled) break;
  }
  await step("finish", [], null);
  await step("check", ["--check"], null);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.table(rows);
console.log(isSound ? "Nothing that was acknowledged was lost." : "DATA WAS LOST; see above.");
process.exitCode = isSound ? 0 : 1;

/** Runs the import until it ends, or until it is killed so many milliseconds after it has acknowledged something new. True if it was. */
async function step(name, flags, killAfterMs) {
  const before = acknowledgedFiles();
  const script = join(import.meta.dirname, "import-tree.mjs");
  const child = spawn(
    process.execPath,
    [script, "--store", join(folder, "store"), "--acks", acks, "--from", from, ...flags],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout.on("data", (data) => {
    output += data;
  });
  const ended = new Promise((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  if (killAfterMs !== null) {
    while (child.exitCode === null && acknowledgedFiles() === before) await pause(5);
    await Promise.race([ended, pause(killAfterMs)]);
    child.kill("SIGKILL");
  }
  const { code, signal } = await ended;
  if (signal === null && code !== 0) isSound = false;
  const whole = output.slice(0, output.lastIndexOf("\n") + 1);
  const lines = whole
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  const said = Object.assign({}, ...lines);
  for (const fault of said.faults ?? []) {
    isSound = false;
    console.error(fault);
  }
  rows.push({
    step: name,
    "ended by": signal ?? `exit ${code}`,
    "commits recovered": said.commitsRecovered ?? "-",
    "acknowledged files": before,
    "of these proved": said.proved ?? "-",
    "acknowledged then": acknowledgedFiles(),
    compared:
      said.compared === undefined ? "-" : `${said.compared} files, ${Math.round(said.bytes / 1e6)} MB`,
  });
  return signal === "SIGKILL";
}

function acknowledgedFiles() {
  if (!existsSync(acks)) return 0;
  return readFileSync(acks, "utf8").split("\n").length - 1;
}
