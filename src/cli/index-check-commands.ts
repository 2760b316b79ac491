/**
 * `index scrub` and `index verify`: indexes against the documents that they are made of, one with or without repair, or all of them.
 * Exit code 1 when damage is left.
 */
import type { Command } from "commander";
import { Option } from "commander";
import { IndexManager } from "../collection/index-manager.js";
import type { ScrubFinding } from "../index/scrub/scrub-batch.js";
import { SCRUB_PRESETS, type ScrubOptions, type ScrubPreset } from "../index/scrub/scrub-options.js";
import type { ScrubResult } from "../index/scrub/scrubber.js";
import { shown } from "../record/record-error.js";
import { startRowProgress } from "./item-progress.js";
import { withRecords } from "./record-session.js";
import { count, JSON_FLAG, type JsonOption, printResult } from "./session.js";
import { tableOf } from "./table.js";
import { setExitCode } from "./terminal.js";

/** Below the command `index`. */
export function addIndexCheckCommands(index: Command): void {
  index
    .command("scrub <dir> <collection> <index>")
    .summary("compare an index with its documents")
    .description(
      "compare a readable index with its documents, both ways; goes on where an earlier scrub has stopped. Exit code 1 when damage is " +
        "left",
    )
    .option("--repair", "repair what is found")
    .option("--restart", "begin from the start, whatever an earlier scrub has done")
    .addOption(new Option("--preset <name>", "how much at a time").choices(Object.keys(SCRUB_PRESETS)))
    .option(...JSON_FLAG)
    .action(scrub);
  index
    .command("verify <dir> [collection]")
    .summary("compare all readable indexes with their documents")
    .description(
      "compare all readable indexes, of one collection or of all, with their documents; changes no row. Exit code 1 when damage is found",
    )
    .option(...JSON_FLAG)
    .action(verify);
}

async function scrub(
  directory: string,
  collection: string,
  index: string,
  options: JsonOption & {
    readonly repair?: true;
    readonly restart?: true;
    readonly preset?: ScrubPreset;
  },
): Promise<void> {
  const { repair, restart, preset } = options;
  const result = await withRecords(directory, async ({ shared }) => {
    const manager = new IndexManager(shared);
    const given: ScrubOptions = {
      ...(preset === undefined ? {} : { preset }),
      ...(repair === undefined ? {} : { repair }),
      ...(restart === undefined ? {} : { restart }),
    };
    return scrubbed(manager, { collection, index, options, given });
  });
  if (damageLeft(result) > 0) setExitCode(1);
  await printResult(options, { directory, collection, index, ...jsonOf(result) }, [
    ...result.findings.map(sentenceOf),
    `${collection}.${index}: ${verdictOf(result)}`,
  ]);
}

async function verify(directory: string, collection: string | undefined, options: JsonOption): Promise<void> {
  const results = await withRecords(directory, async ({ shared }) => {
    const manager = new IndexManager(shared);
    const found = [];
    for (const { collection: name, index, state } of await manager.list(collection)) {
      if (state !== "readable") {
        found.push({ collection: name, index, state, result: null });
        continue;
      }
      const given = { restart: true, repair: false };
      found.push({
        collection: name,
        index,
        state,
        result: await scrubbed(manager, { collection: name, index, options, given }),
      });
    }
    return found;
  });
  if (results.some(({ result }) => result !== null && damageLeft(result) > 0)) setExitCode(1);
  const json = results.map(({ result, ...rest }) => ({
    ...rest,
    ...(result === null ? {} : jsonOf(result)),
  }));
  await printResult(options, { directory, indexes: json }, [
    ...results.flatMap(({ result }) => (result === null ? [] : result.findings.map(sentenceOf))),
    ...tableOf([
      ["collection", "index", "verdict"],
      ...results.map(({ collection: name, index, state, result }) => [
        name,
        index,
        result === null ? `${state}: not looked at` : verdictOf(result),
      ]),
    ]),
  ]);
}

async function scrubbed(
  manager: IndexManager,
  scrubOf: {
    readonly collection: string;
    readonly index: string;
    readonly options: JsonOption;
    readonly given: ScrubOptions;
  },
): Promise<ScrubResult> {
  const { collection, index, options, given } = scrubOf;
  const progress = await startRowProgress(options, `${collection}.${index}`);
  try {
    return await manager.scrub(collection, index, given, ({ totals }) => progress.update(totals.scanned));
  } finally {
    progress.stop();
  }
}

function damageLeft({ dangling, missing, wrong, sharedValues, repaired }: ScrubResult): number {
  return dangling + missing + wrong + sharedValues - repaired;
}

function verdictOf(result: ScrubResult): string {
  const { scanned, dangling, missing, wrong, sharedValues, repaired } = result;
  const scope = count(scanned, "row");
  if (dangling + missing + wrong + sharedValues === 0) return `sound: ${scope}`;
  const found = `${dangling} dangling, ${missing} missing, ${wrong} wrong, ${sharedValues} values not unique`;
  return `damaged: ${found}; ${repaired} repaired; ${scope}`;
}

function sentenceOf({ problem, collection, index, primaryKey, key, isRepaired }: ScrubFinding): string {
  const owner = primaryKey === undefined ? "" : ` of ${shown(primaryKey)}`;
  const row = Buffer.from(key).toString("hex");
  return `${collection}.${index}: ${problem} row${owner}, 0x${row}${isRepaired ? ", repaired" : ""}`;
}

/** With keys as text. */
function jsonOf({ findings, ...totals }: ScrubResult): Record<string, unknown> {
  return {
    ...totals,
    findings: findings.map(({ problem, primaryKey, key, isRepaired }) => ({
      problem,
      primaryKey: primaryKey === undefined ? null : shown(primaryKey),
      key: Buffer.from(key).toString("hex"),
      isRepaired,
    })),
  };
}
