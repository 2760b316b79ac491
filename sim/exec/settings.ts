/**
 * What a simulated process is told by the one that started it, or by its user, through the environment.
 */
import { resolve } from "node:path";
import { StillwaterError } from "../../src/platform/errors.js";
import { SYNC_PERSONALITIES, type SyncPersonality } from "../disk/options.js";
import type { RecorderOptions } from "./recorder.js";
import type { SessionOptions } from "./session.js";

/** Set by `sim exec` for the program that it records. */
export const RECORD_VARIABLE = "STILLWATER_RECORD";

export interface Settings {
  readonly session: SessionOptions;
  readonly record: RecorderOptions | null;
}

export function settingsFrom(environment: NodeJS.ProcessEnv, cwd: string): Settings {
  const record = environment[RECORD_VARIABLE];
  return {
    session: {
      mount: resolve(cwd, environment["STILLWATER_MOUNT"] ?? "."),
      allowWrite: environment["STILLWATER_ALLOW_WRITE"] === "1",
      seed: environment["STILLWATER_SEED"] ?? null,
      personality: parsePersonality(environment["STILLWATER_PERSONALITY"] ?? "posix-strict"),
    },
    record: record === undefined ? null : (JSON.parse(record) as RecorderOptions),
  };
}

/** The environment that says this. */
export function environmentOf({ session, record }: Settings): Record<string, string> {
  return {
    STILLWATER_MOUNT: session.mount,
    STILLWATER_PERSONALITY: session.personality,
    ...(session.allowWrite ? { STILLWATER_ALLOW_WRITE: "1" } : {}),
    ...(session.seed === null ? {} : { STILLWATER_SEED: session.seed }),
    ...(record === null ? {} : { [RECORD_VARIABLE]: JSON.stringify(record) }),
  };
}

export function parsePersonality(text: string): SyncPersonality {
  const found = SYNC_PERSONALITIES.find((one) => one === text);
  if (found !== undefined) return found;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `"${text}" is no personality of a disk. Known: ${SYNC_PERSONALITIES.join(", ")}.`,
  );
}
