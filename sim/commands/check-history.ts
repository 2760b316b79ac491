/**
 * `stillwater sim check-history`: which anomalies a recorded history of any database shows. Parses, prints, sets the exit code:
 * 0 none, 2 wrong usage or a malformed history, 129 some.
 */
import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { explain } from "../history/anomaly.js";
import { checkHistory, type HistoryReport } from "../history/check.js";
import type { History } from "../history/history.js";
import { parseHistory } from "../history/json-lines.js";
import { DEFAULT_MODEL, MODELS, type Model, meaningOf, parseModel } from "../history/models.js";
import { EXIT_CODES } from "./exit-codes.js";
import { print, usage } from "./parameters.js";

const ANOMALIES_SHOWN = 10;
const STANDARD_INPUT = "-";

interface CheckFlags {
  readonly model: Model;
  readonly json?: boolean;
}

export function checkHistoryCommand(): Command {
  return new Command("check-history")
    .description("name the anomalies in a history of appends and reads, one transaction a line (JSON)")
    .argument("<file>", "the history; - reads standard input")
    .addOption(
      new Option("--model <name>", `what the database promises: ${MODELS.join(", ")}`)
        .argParser(usage(parseModel))
        .default(DEFAULT_MODEL),
    )
    .option("--json", "print the report as JSON, with every anomaly")
    .action(run);
}

function run(file: string, { model, json }: CheckFlags): void {
  const { history, report } = usage((text) => {
    const history = parseHistory(text);
    return { history, report: checkHistory(history, { model }) };
  })(readText(file));
  print(json === true ? jsonReport(report, history) : textReport(report, history));
  if (report.anomalies.length > 0) process.exitCode = EXIT_CODES.safety;
}

function readText(file: string): string {
  try {
    return readFileSync(file === STANDARD_INPUT ? 0 : file, "utf8");
  } catch (error) {
    throw new InvalidArgumentError(`The history cannot be read: ${(error as Error).message}`);
  }
}

function textReport(report: HistoryReport, history: History): string {
  const { anomalies, model, transactions, committed, unknown, keys, dependencies, isExhaustive } = report;
  const lines = anomalies.slice(0, ANOMALIES_SHOWN).map((anomaly) => `${explain(anomaly, history)}\n`);
  lines.push(
    `${transactions} transactions (${committed} committed, ${unknown} of unknown outcome), ${keys} keys, ${dependencies} dependencies`,
  );
  if (anomalies.length === 0) lines.push(`no anomaly: the history fits ${model}`);
  else lines.push(`${model} is broken: ${countsText(report)}`);
  if (!isExhaustive) lines.push("the search for cycles was cut short; there may be graver ones");
  return lines.join("\n");
}

function countsText({ anomalies }: HistoryReport): string {
  const counts = new Map<string, number>();
  for (const { name } of anomalies) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
}

function jsonReport({ anomalies, ...rest }: HistoryReport, history: History): string {
  const told = anomalies.map((anomaly) => ({
    ...anomaly,
    meaning: meaningOf(anomaly.name),
    explanation: explain(anomaly, history),
  }));
  return JSON.stringify({ format: 1, valid: anomalies.length === 0, ...rest, anomalies: told }, null, 2);
}
