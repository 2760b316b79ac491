/**
 * `serve`: the admin of a store over HTTP, until a signal ends it. The token comes out of a file or the environment, never from the
 * command line, where every process of the machine could read it.
 */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { openDatabase, openReadOnly } from "../index.js";
import { StillwaterError } from "../platform/errors.js";
import { environmentVariables } from "../platform/node/environment.js";
import { itemOptions } from "./record-session.js";
import { JSON_FLAG, type JsonOption } from "./session.js";
import { nextSignal, readWholeInput, storePath, writeError, writeOutput } from "./terminal.js";

const TOKEN_VARIABLE = "STILLWATER_TOKEN";

export function addServeCommand(program: Command): void {
  program
    .command("serve <dir>")
    .summary("serve the admin page and API over HTTP")
    .description(
      "serve the admin page and API of a store over HTTP, on this machine alone unless --host says otherwise. " +
        `With a token (--token-file, or the variable ${TOKEN_VARIABLE}) every request but those for the page must carry it; beyond the ` +
        "loopback there must be one. SIGINT and SIGTERM end it",
    )
    .option("--host <address>", "where to listen", "127.0.0.1")
    .option("--port <number>", "0 takes one that is free", portOf, 4711)
    .option("--token-file <path>", "the token is the first line of this file")
    .option("--allow-host <name...>", "further names that requests may have in their Host header")
    .option("--backups <repository>", "the directory where backups are listed and made")
    .option(
      "--read-only",
      "change nothing, take no lock: beside the program that has the store open, or without one",
    )
    .option(...JSON_FLAG)
    .action(serve);
}

interface ServeOptions extends JsonOption {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly allowHost?: readonly string[];
  readonly readOnly?: true;
  readonly backups?: string;
}

async function serve(directory: string, options: ServeOptions): Promise<void> {
  // Only here: the library that it stands on is loaded for nothing else.
  const { adminHandler, listen, LOOPBACK_HOSTS } = await import("../admin/index.js");
  const token = await tokenOf(options);
  const hosts =
    token !== null && options.allowHost === undefined
      ? null
      : [...LOOPBACK_HOSTS, ...(options.allowHost ?? []), options.host];
  const signal = nextSignal();
  const path = storePath(directory);
  const target =
    options.readOnly === true
      ? await openReadOnly(path)
      : await openDatabase(path, { store: { createIfMissing: false } });
  try {
    const handler = adminHandler(target, {
      items: itemOptions(),
      ...(options.backups === undefined ? {} : { backups: storePath(options.backups) }),
      ...(token === null ? {} : { token }),
      ...(hosts === null ? {} : { hosts }),
      onError: (error, requestId) => {
        writeError(
          `stillwater: request ${requestId}: ${error instanceof Error ? error.stack : String(error)}`,
        );
      },
    });
    const server = await listen(handler, {
      host: options.host,
      port: options.port,
      hasToken: token !== null,
    });
    const { url, host, port } = server;
    await writeOutput(
      options.json === true
        ? `${JSON.stringify({ url, host, port, token: token !== null })}\n`
        : `${url}\n${token === null ? "No token: every program on this machine can read and write the store.\n" : ""}`,
    );
    await signal;
    await server.close();
    handler.close();
  } finally {
    await target.close();
  }
}

async function tokenOf({ tokenFile }: ServeOptions): Promise<string | null> {
  if (tokenFile === undefined) return environmentVariables()[TOKEN_VARIABLE] ?? null;
  const [token = ""] = Buffer.from(await readWholeInput(tokenFile))
    .toString("utf8")
    .split(/\r?\n/);
  if (token !== "") return token;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `the first line of ${tokenFile} is empty; it should be the token.`,
    {
      path: tokenFile,
    },
  );
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("a port is a whole number from 0 to 65535.");
}
