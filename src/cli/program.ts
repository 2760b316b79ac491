/**
 * The program `stillwater`: its commands, its exit codes, its way of saying what went wrong.
 *
 * Exit codes: 0 fine; 2 wrong usage; 1 any other failure of a store command. `sim` sets its own, and an error that
 * comes out of it unexpectedly is a fault of the harness, 127.
 * Errors: `stillwater: CODE: message` on standard error; with --json an object `{"error":{code,message,path,offset}}`.
 */
import { Command, CommanderError } from "commander";
import { addBackupCommands } from "./backup-commands.js";
import { addCopyCommands } from "./copy-commands.js";
import { addImportCommand } from "./import/import-command.js";
import { addIndexCheckCommands } from "./index-check-commands.js";
import { addMcpCommand } from "./mcp-command.js";
import { addPointCommands } from "./point-commands.js";
import { addIndexBuildCommand, addRecordCommands } from "./record-commands.js";
import { addScanCommands } from "./scan-commands.js";
import { addServeCommand } from "./serve-command.js";
import { loadSimulator, SIMULATOR_DESCRIPTION } from "./simulator.js";
import { OutputClosed, packageVersion, setExitCode, writeError } from "./terminal.js";
import { addUpkeepCommands } from "./upkeep-commands.js";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_HARNESS = 127;

/** Runs one command line. Never rejects: what goes wrong is printed and decides the exit code. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const isSimulation = namesSimulator(argv);
  try {
    const program = createProgram();
    if (isSimulation) program.addCommand(speakOurWay(await loadSimulator()));
    else program.command("sim").description(SIMULATOR_DESCRIPTION);
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (error instanceof OutputClosed) return;
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return;
      // Help that was shown because a command is missing is all that needs saying.
      if (error.code !== "commander.help") report("USAGE", error, argv);
      setExitCode(EXIT_USAGE);
      return;
    }
    report(codeOf(error), error, argv);
    setExitCode(isSimulation ? EXIT_HARNESS : EXIT_FAILURE);
  }
}

function createProgram(): Command {
  const program = speakOurWay(new Command("stillwater"));
  program
    .description("An embedded, ACID, ordered key-value store, and the simulator that proves it.")
    .version(packageVersion())
    .addHelpText("after", "\nKeys and values are UTF-8 text unless --hex or --base64 is given.");
  addPointCommands(program);
  addScanCommands(program);
  addImportCommand(program);
  addUpkeepCommands(program);
  addBackupCommands(program);
  addCopyCommands(program);
  addRecordCommands(program);
  addServeCommand(program);
  addMcpCommand(program);
  const index = program.command("index").description("build and check the indexes of collections");
  addIndexBuildCommand(index);
  addIndexCheckCommands(index);
  return program;
}

/** Has a command throw instead of ending the process, and leaves the printing of errors to `report`. */
function speakOurWay(command: Command): Command {
  command.exitOverride().configureOutput({ outputError: () => undefined });
  for (const inner of command.commands) speakOurWay(inner);
  return command;
}

/** Whether the command is `sim` or the help that is asked for is its. */
function namesSimulator(argv: readonly string[]): boolean {
  const [first, second] = argv.filter((argument) => !argument.startsWith("-"));
  return first === "sim" || (first === "help" && second === "sim");
}

function report(code: string, error: unknown, argv: readonly string[]): void {
  const message = messageOf(error);
  if (wantsJson(argv)) {
    const { path = null, offset = null } = (error ?? {}) as {
      readonly path?: string;
      readonly offset?: number;
    };
    writeError(JSON.stringify({ error: { code, message, path, offset } }));
    return;
  }
  writeError(`stillwater: ${code}: ${message}`);
  if (code === "INTERNAL" && error instanceof Error) writeError(error.stack ?? "");
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? argv.length : end).includes("--json");
}

const OUR_ERRORS = new Set(["StillwaterError", "CorruptionError", "TransactionError", "RecordError"]);

/** By name and not by class: the simulator throws the errors of its own build. */
function codeOf(error: unknown): string {
  const isOurs = error instanceof Error && OUR_ERRORS.has(error.name);
  return isOurs && "code" in error && typeof error.code === "string" ? error.code : "INTERNAL";
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return error instanceof CommanderError ? text.replace(/^error: /, "") : text;
}
