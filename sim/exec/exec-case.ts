/**
 * A case of `sim exec`: one crash state of one recorded program, as a file. It holds the tape up to the crash literally,
 * so that it stays the same crash state whatever the program does by now, and the check by its path, since that is what
 * is tried against it. Plain JSON; owns the format and its checks, not the replaying.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { StillwaterError } from "../../src/platform/errors.js";
import type { SyncPersonality } from "../disk/options.js";
import type { CrashKind } from "../disk/simulation-disk.js";
import type { CrashTestOptions } from "./crash-test.js";
import type { Finding } from "./findings.js";
import { parsePersonality } from "./settings.js";
import { type Tape, tapeFromJSON, tapeToJSON } from "./tape.js";

const FORMAT = 1;

export interface ExecCase {
  readonly format: typeof FORMAT;
  readonly kind: "stillwater sim exec";
  readonly name: string;
  /** What is wrong, in one sentence. */
  readonly note: string;
  /** Paths as seen from the folder of the case; the program is only named, not run again. */
  readonly program: string;
  readonly parameters: readonly string[];
  readonly check: string;
  /** Absolute, or as seen from the folder of the case. */
  readonly mount: string;
  readonly seed: string;
  readonly personality: SyncPersonality;
  readonly crash: CrashKind;
  readonly position: number;
  /** One for each unsynced thing, in the disk's order: 0 is its newest state. */
  readonly answers: readonly number[];
  /** How the check failed when the case was saved. */
  readonly message: string;
  readonly tape: unknown;
}

/** Writes the case of a finding and returns its path. */
export function writeExecCase(
  directory: string,
  name: string,
  options: CrashTestOptions,
  tape: Tape,
  finding: Finding,
): string {
  mkdirSync(directory, { recursive: true });
  const seen = (path: string) => relative(resolve(directory), resolve(options.cwd, path));
  const { crash, position, answers, message, cause } = finding;
  const cut = { ...tape, events: tape.events.slice(0, position) };
  const { seed, personality, parameters, mount, program, check } = options;
  const isInside = !relative(options.cwd, mount).startsWith("..");
  const one: ExecCase = {
    format: FORMAT,
    kind: "stillwater sim exec",
    name,
    note: cause,
    program: seen(program),
    parameters,
    check: seen(check),
    mount: isInside ? seen(mount) : mount,
    seed,
    personality,
    crash,
    position,
    answers,
    message,
    tape: tapeToJSON(cut),
  };
  const path = join(directory, `${name}.json`);
  writeFileSync(path, `${JSON.stringify(one, null, 1)}\n`);
  return path;
}

export interface ReplayableCase {
  readonly one: ExecCase;
  readonly options: Pick<CrashTestOptions, "program" | "check" | "mount" | "cwd" | "seed" | "personality">;
  readonly tape: Tape;
}

/** Throws `NOT_FOUND`, `UNSUPPORTED_FORMAT` or `INVALID_ARGUMENT` with what is wrong. */
export function readExecCase(path: string): ReplayableCase {
  const one = parse(path);
  const folder = dirname(resolve(path));
  const at = (text: string) => (isAbsolute(text) ? text : resolve(folder, text));
  const mount = at(one.mount);
  const options = {
    program: at(one.program),
    check: at(one.check),
    mount,
    cwd: folder,
    seed: one.seed,
    personality: parsePersonality(one.personality),
  };
  return { one, options, tape: tapeFromJSON(one.tape, mount) };
}

function parse(path: string): ExecCase {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const message = `${path} cannot be read: ${(error as Error).message}`;
    throw new StillwaterError("NOT_FOUND", message, { cause: error, path });
  }
  const invalid = (what: string, cause?: unknown) =>
    new StillwaterError("INVALID_ARGUMENT", `${path} is no case of sim exec: ${what}.`, { path, cause });
  let json: Partial<ExecCase>;
  try {
    json = JSON.parse(text) as Partial<ExecCase>;
  } catch (error) {
    throw invalid(`it is not JSON (${(error as Error).message})`, error);
  }
  if (json.kind !== "stillwater sim exec") throw invalid(`its kind must be "stillwater sim exec"`);
  if (json.format !== FORMAT) {
    throw new StillwaterError(
      "UNSUPPORTED_FORMAT",
      `${path} has format ${String(json.format)}, but this version reads format ${FORMAT}.`,
      { path },
    );
  }
  for (const name of ["name", "program", "check", "mount", "seed", "personality", "crash"] as const) {
    if (typeof json[name] !== "string") throw invalid(`${name} must be a text`);
  }
  const counts = [json.position, ...(Array.isArray(json.answers) ? json.answers : [null])];
  if (!counts.every((count) => Number.isSafeInteger(count) && (count as number) >= 0)) {
    throw invalid("position and answers must be whole numbers");
  }
  const tape = json.tape as { base?: unknown; events?: unknown } | undefined;
  if (!Array.isArray(tape?.base) || !Array.isArray(tape.events)) throw invalid("it has no tape");
  if (tape.events.length < (json.position as number)) throw invalid("its tape ends before the crash");
  return json as ExecCase;
}
