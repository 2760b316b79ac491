/**
 * One temporary folder twice: on the real disk and on a simulated one, under the same path, so that answers and error
 * messages can be compared literally.
 */
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Choices } from "../../../sim/choices/choices.js";
import { SOUND_DISK } from "../../../sim/disk/options.js";
import { NodeMachine } from "../../../sim/node-fs/machine.js";
import { createNodeFS, type SimulatedFS } from "../../../sim/node-fs/node-fs.js";

export interface Both {
  readonly root: string;
  readonly real: SimulatedFS;
  readonly simulated: SimulatedFS;
  remove(): void;
}

export function bothFileSystems(): Both {
  const root = fs.mkdtempSync(join(fs.realpathSync(tmpdir()), "stillwater-node-fs-"));
  const { simulated } = simulatedMachine();
  simulated.mkdirSync(root, { recursive: true });
  return { root, real: fs, simulated, remove: () => fs.rmSync(root, { recursive: true, force: true }) };
}

export function simulatedMachine(): { readonly simulated: SimulatedFS; readonly machine: NodeMachine } {
  let ticks = 0;
  const machine = new NodeMachine({
    disk: SOUND_DISK,
    choices: Choices.fromSeed("node-fs"),
    timers: { after: (_delayMs, task) => void setImmediate(task), nowMs: () => ++ticks },
    wallMs: () => 1_700_000_000_000 + ++ticks,
    cwd: () => process.cwd(),
  });
  const simulated = nodeFS(machine);
  return { simulated, machine };
}

export function nodeFS(machine: NodeMachine): SimulatedFS {
  let letters = 0;
  return createNodeFS(machine.mount(), {
    turn: (task) => void setImmediate(task),
    pick: () => 0,
    below: (n) => letters++ % n,
  }).fs;
}

/** What an error says, for comparison. */
export function factsOf(error: unknown): Record<string, unknown> {
  const { code, errno, syscall, path, dest, message } = error as NodeJS.ErrnoException & { dest?: string };
  // Argument errors differ in wording between versions of Node; their code does not.
  const isArgument = code?.startsWith("ERR_INVALID") === true || code === "ERR_OUT_OF_RANGE";
  return isArgument ? { code } : { code, errno, syscall, path, dest, message };
}

export type Say = (answer: unknown) => void;

/** Says what a call gives, or how it fails. */
export function attempt(say: Say, call: () => unknown): void {
  try {
    say(call() ?? null);
  } catch (error) {
    say(factsOf(error));
  }
}

export async function attemptLater(say: Say, call: () => unknown): Promise<void> {
  try {
    say((await call()) ?? null);
  } catch (error) {
    say(factsOf(error));
  }
}

/** For calls whose wording differs between versions of Node. */
export function codeOnly(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
