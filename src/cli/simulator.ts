/**
 * The way to the simulator, which is loaded for `stillwater sim …` and for nothing else. It exists only in the
 * instrumented build, so the path depends on which of the two builds this file belongs to.
 */
import type { Command } from "commander";

export const SIMULATOR_DESCRIPTION = "break the store in a deterministic simulator";

/** The command `sim` with everything below it. */
export async function loadSimulator(): Promise<Command> {
  const isInstrumented = import.meta.url.includes("/instrumented/src/cli/");
  const path = isInstrumented ? "../../sim/cli.js" : "../../instrumented/sim/cli.js";
  const module = (await import(new URL(path, import.meta.url).href)) as { simCommand(): Command };
  return module.simCommand();
}
