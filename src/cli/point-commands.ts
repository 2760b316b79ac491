/** `get`, `put` and `delete`: one key at a time. Each is durable when the command has ended with code 0. */
import { type Command, InvalidArgumentError } from "commander";
import { StillwaterError } from "../platform/errors.js";
import { decodeText, type EncodingOptions, encodeBytes, encodingOf, withEncodings } from "./encoding.js";
import { type ReadOption, withReader, withReadOnly } from "./read-session.js";
import { BRIEF, JSON_FLAG, type JsonOption, printResult, withStore } from "./session.js";
import { readWholeInput, showsOutput, writeOutput } from "./terminal.js";

type Options = EncodingOptions & JsonOption;

export function addPointCommands(program: Command): void {
  withReadOnly(withEncodings(program.command("get <dir> <key>")))
    .summary("print the value of a key")
    .description("print the value of a key, byte for byte; exit code 1 when it is not there")
    .option(...JSON_FLAG)
    .action(get);
  withEncodings(program.command("put <dir> <key> [value]"))
    .summary("set a key")
    .description(
      'set a key, creating the store if need be; the value "-" is read from standard input, byte for byte',
    )
    .option("--file <path>", "take the value from a file, byte for byte")
    .option(...JSON_FLAG)
    .action(put);
  withEncodings(program.command("delete <dir> <key>"))
    .summary("remove a key")
    .description("remove a key; one that is not there is fine")
    .option(...JSON_FLAG)
    .action(remove);
}

async function get(directory: string, keyText: string, options: EncodingOptions & ReadOption): Promise<void> {
  const encoding = encodingOf(options);
  const key = decodeText(keyText, encoding, "the key");
  const { result: value, readOnly } = await withReader(directory, options, BRIEF, (store) => store.get(key));
  if (value === undefined) {
    throw new StillwaterError("NOT_FOUND", `there is no key ${JSON.stringify(keyText)} in ${directory}.`);
  }
  if (options.json === true) {
    const text = encodeBytes(value, encoding, "the value");
    await writeOutput(`${JSON.stringify({ key: keyText, value: text, readOnly })}\n`);
  } else if (encoding === "text") {
    await writeOutput(value);
    if (showsOutput() && value[value.length - 1] !== 0x0a) await writeOutput("\n");
  } else {
    await writeOutput(`${encodeBytes(value, encoding, "the value")}\n`);
  }
}

async function put(
  directory: string,
  keyText: string,
  valueText: string | undefined,
  options: Options & { readonly file?: string },
): Promise<void> {
  const encoding = encodingOf(options);
  const key = decodeText(keyText, encoding, "the key");
  if ((valueText === undefined) === (options.file === undefined)) {
    throw new InvalidArgumentError(
      'give one value: as an argument, as "-" for standard input, or with --file.',
    );
  }
  const isRead = valueText === undefined || valueText === "-";
  const value = isRead
    ? await readWholeInput(options.file ?? "-")
    : decodeText(valueText, encoding, "the value");
  const version = await withStore(directory, options, { ...BRIEF, createIfMissing: true }, (store) =>
    store.put(key, value),
  );
  await printResult(options, { version }, []);
}

async function remove(directory: string, keyText: string, options: Options): Promise<void> {
  const key = decodeText(keyText, encodingOf(options), "the key");
  const result = await withStore(directory, options, BRIEF, async (store) => {
    const existed = store.getSync(key) !== undefined;
    return { version: await store.delete(key), existed };
  });
  await printResult(options, result, []);
}
