// The promise that most of these make: the file holds one of the versions that were written, whole. Which one does not
// matter here. `ready` is the line that the programs print once the first version is durable beyond doubt.
import { readFileSync } from "node:fs";

/** Throws unless the file holds a whole version, once there is one. */
export function expectWholeVersion(path, acknowledged) {
  if (!acknowledged.includes("ready")) return;
  const { version, padding } = JSON.parse(readFileSync(path, "utf8"));
  if (typeof version !== "number" || padding !== "x".repeat(6000))
    throw new Error(`a mixture of versions: ${version}`);
}

/** Throws when the file went back behind a version that had been acknowledged. */
export function expectNewest(path, acknowledged) {
  const newest = Number(acknowledged.filter((line) => line !== "ready").at(-1) ?? 0);
  const { version } = JSON.parse(readFileSync(path, "utf8"));
  if (version < newest) throw new Error(`version ${version}, although ${newest} had been acknowledged`);
}

export const contentOf = (version) => ({ version, padding: "x".repeat(6000) });

/** Whether what nobody promised is to be looked at too; `run.mjs` says so. */
export const beyond = process.env.CRASH_TEST_BEYOND === "1";
