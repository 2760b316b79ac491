/**
 * `stillwater mcp`: a store's admin as tools of the Model Context Protocol, on standard input and output, for a program that starts us.
 * Standard output carries the protocol and nothing else. Ends with the input, or at a signal.
 */
import type { Command } from "commander";
import { openDatabase, openReadOnly } from "../index.js";
import { itemOptions } from "./record-session.js";
import {
  closeStandardInput,
  nextSignal,
  packageVersion,
  readStandardInput,
  storePath,
  writeError,
  writeOutput,
} from "./terminal.js";

export function addMcpCommand(program: Command): void {
  program
    .command("mcp <dir>")
    .summary("serve a store's admin as MCP tools over standard input and output")
    .description(
      "serve the operations of the admin API as tools of the Model Context Protocol, over standard input and output, to the program " +
        "that starts this one. The end of the input, SIGINT and SIGTERM end it",
    )
    .option("--backups <repository>", "the directory where backups are listed and made")
    .option(
      "--read-only",
      "offer no tool that changes anything, take no lock: beside the program that has the store open, or without one",
    )
    .action(serve);
}

interface McpCommandOptions {
  readonly readOnly?: true;
  readonly backups?: string;
}

async function serve(directory: string, { readOnly, backups }: McpCommandOptions): Promise<void> {
  // Only here: what it stands on is loaded for nothing else.
  const { serveMcp } = await import("../admin/mcp/server.js");
  const stop = nextSignal();
  const path = storePath(directory);
  const target =
    readOnly === true
      ? await openReadOnly(path)
      : await openDatabase(path, { store: { createIfMissing: false } });
  try {
    const streams = { input: readStandardInput(), write: writeOutput };
    await serveMcp(target, streams, {
      items: itemOptions(),
      ...(backups === undefined ? {} : { backups: storePath(backups) }),
      version: packageVersion(),
      stop,
      onError: (error, requestId) => {
        writeError(
          `stillwater: request ${requestId}: ${error instanceof Error ? error.stack : String(error)}`,
        );
      },
    });
  } finally {
    closeStandardInput();
    await target.close();
  }
}
