/** One thing that is wrong with a history, and the words in which all of them speak of transactions, keys and lists. */
import type { History, HistoryOperation, List, ListValue } from "./history.js";
import { type AnomalyName, meaningOf } from "./models.js";

/** A cycle or read that the model forbids, with the transactions in it. */
export interface Anomaly {
  readonly name: AnomalyName;
  /** Indices in the history; of a cycle in its order. */
  readonly transactions: readonly number[];
  /** The keys concerned. */
  readonly keys: readonly string[];
  /** One sentence each: why. */
  readonly reasons: readonly string[];
}

const LIST_VALUES_SHOWN = 8;
const OPERATIONS_SHOWN = 12;

/** Name and meaning, the transactions, the reasons: some lines of text. */
export function explain(anomaly: Anomaly, history: History): string {
  const shown = [...new Set(anomaly.transactions)].map((index) => `  ${transactionText(history, index)}`);
  const reasons = anomaly.reasons.map((reason) => `  because ${reason}`);
  return [`${anomaly.name} (${meaningOf(anomaly.name)})`, ...shown, ...reasons].join("\n");
}

export function name(index: number): string {
  return `T${index + 1}`;
}

export function valueText(value: ListValue): string {
  return JSON.stringify(value);
}

/** The end of a list is what tells versions apart, so that is what is shown of a long one. */
export function listText(list: List): string {
  const hidden = list.length - LIST_VALUES_SHOWN;
  const values = list.slice(-LIST_VALUES_SHOWN).map(valueText).join(" ");
  return hidden > 0 ? `[… ${hidden} more … ${values}]` : `[${values}]`;
}

export function keyText(key: string): string {
  return JSON.stringify(key);
}

function transactionText(history: History, index: number): string {
  const one = history[index];
  if (one === undefined) return name(index);
  const { operations, outcome, process, start, end, isFinal } = one;
  const facts = [
    ...(outcome === "ok" ? [] : [outcome]),
    ...(process === undefined ? [] : [`process ${process}`]),
    ...(start === undefined ? [] : [`${start} to ${end ?? "?"}`]),
    ...(isFinal === true ? ["final"] : []),
  ];
  const shown = operations.slice(0, OPERATIONS_SHOWN).map(operationText);
  if (operations.length > OPERATIONS_SHOWN) shown.push(`and ${operations.length - OPERATIONS_SHOWN} more`);
  return `${name(index)}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}: ${shown.join(", ")}`;
}

function operationText(operation: HistoryOperation): string {
  if (operation.kind === "append") return `append ${keyText(operation.key)} ${valueText(operation.value)}`;
  const before = operation.isSnapshot === true ? "snapshot " : "";
  if (operation.kind === "read") {
    const { key, list } = operation;
    return `${before}read ${keyText(key)} → ${list === null ? "no answer" : listText(list)}`;
  }
  const { prefix, rows } = operation;
  const found = rows?.map(([key, list]) => `${keyText(key)} ${listText(list)}`).join(", ");
  return `${before}range ${keyText(prefix)} → ${found === undefined ? "no answer" : found === "" ? "nothing" : found}`;
}
