/**
 * A plan for people: what is done, from the last step to the first, as a tree of steps and as text. Owns the words; a plan itself is
 * plain data and says the same exactly.
 */
import type { Predicate } from "../record/predicate.js";
import { shown } from "../record/record-error.js";
import type { Access, CollectionScan, IndexScan, Plan, RowOrder, Span } from "./plan.js";
import { type Cut, type Interval, isEverything, isPoint } from "./value-set.js";

export type PlanStepName =
  | "limit"
  | "project"
  | "count"
  | "sort"
  | "filter"
  | "fetch"
  | "collection scan"
  | "collection seek"
  | "index scan"
  | "index-only scan"
  | "merge union"
  | "union"
  | "nothing";

/** One step of how a query is answered. */
export interface PlanStep {
  readonly step: PlanStepName;
  /** The index that is read, for a scan of one. */
  readonly index?: string;
  readonly detail: string;
  readonly of: readonly PlanStep[];
}

/** How a query is answered; see `RecordQuery.explain`. */
export interface Explanation {
  readonly tree: PlanStep;
  readonly text: string;
  readonly plan: Plan;
}

export function explain(plan: Plan): Explanation {
  const tree = treeOf(plan);
  return { tree, text: lines(tree, "", "").join("\n"), plan };
}

function treeOf(plan: Plan): PlanStep {
  const { access, filter, isIndexOnly, isSorted, order, offset, limit, output, primaryKey } = plan;
  let step = accessStep(access, plan);
  if (access.op === "nothing") return step;
  const isDirect = access.op === "collectionScan" && !isSeek(access);
  if (!isIndexOnly && !isDirect) step = { step: "fetch", detail: "documents, several at a time", of: [step] };
  if (filter.op !== "true") step = { step: "filter", detail: conditionText(filter), of: [step] };
  if (isSorted) step = { step: "sort", detail: `by ${orderText(order, primaryKey)}`, of: [step] };
  if (output.type === "count") step = { step: "count", detail: "documents", of: [step] };
  if (output.type === "fields") step = { step: "project", detail: output.fields.join(", "), of: [step] };
  if (limit === null && offset === 0) return step;
  const parts = [limit === null ? "" : `${limit}`, offset === 0 ? "" : `after the first ${offset}`];
  return { step: "limit", detail: parts.filter((part) => part !== "").join(" "), of: [step] };
}

function accessStep(access: Access, plan: Plan): PlanStep {
  switch (access.op) {
    case "nothing":
      return { step: "nothing", detail: "the conditions contradict each other", of: [] };
    case "collectionScan":
      return collectionStep(access, plan.primaryKey);
    case "indexScan":
      return indexStep(access, plan);
    case "mergeUnion":
      return {
        step: "merge union",
        detail: `by ${orderText(plan.order, plan.primaryKey)}`,
        of: access.of.map((scan) => accessStep(scan, plan)),
      };
    case "union":
      return { step: "union", detail: "", of: access.of.map((scan) => accessStep(scan, plan)) };
  }
}

function collectionStep(scan: CollectionScan, primaryKey: string): PlanStep {
  const ranges = isEverything(scan.keys)
    ? "all documents"
    : `${primaryKey} ${scan.keys.map(intervalText).join(" or ")}`;
  const detail = `${ranges}${scan.reverse ? ", from the end" : ""}`;
  return { step: isSeek(scan) ? "collection seek" : "collection scan", detail, of: [] };
}

function isSeek({ keys }: CollectionScan): boolean {
  return keys.every(isPoint);
}

function indexStep(scan: IndexScan, { isIndexOnly }: Plan): PlanStep {
  const shownSpans = scan.spans.slice(0, 3).map((span) => spanText(scan, span));
  const more = scan.spans.length > 3 ? ` or ${scan.spans.length - 3} more` : "";
  return {
    step: isIndexOnly ? "index-only scan" : "index scan",
    index: scan.index,
    detail: `${scan.index}: ${shownSpans.join(" or ")}${more}${scan.reverse ? ", from the end" : ""}`,
    of: [],
  };
}

function spanText({ fields }: IndexScan, { equals, within }: Span): string {
  const parts = [...equals, ...(within === null ? [] : [within])].map(
    (interval, at) => `${fields[at]} ${intervalText(interval)}`,
  );
  return parts.length === 0 ? "all entries" : parts.join(", ");
}

function intervalText(interval: Interval): string {
  const { low, high } = interval;
  if (isPoint(interval)) return `= ${shown(low.value)}`;
  return `in ${low.side === "before" ? "[" : "("}${cutText(low)}, ${cutText(high)}${high.side === "after" ? "]" : ")"}`;
}

function cutText({ side, value }: Cut): string {
  return side === "start" ? "−∞" : side === "end" ? "∞" : shown(value);
}

function orderText({ fields, keyDescending }: RowOrder, primaryKey: string): string {
  return [...fields, { field: primaryKey, descending: keyDescending }]
    .map(({ field, descending }) => (descending ? `${field} desc` : field))
    .join(", ");
}

function conditionText(predicate: Predicate): string {
  switch (predicate.op) {
    case "true":
    case "false":
      return predicate.op;
    case "and":
    case "or":
      return `(${predicate.of.map(conditionText).join(` ${predicate.op} `)})`;
    case "not":
      return `not ${conditionText(predicate.of)}`;
    case "isNull":
    case "isNotNull":
      return `${predicate.field} ${predicate.op === "isNull" ? "is null" : "is not null"}`;
    case "in":
      return `${predicate.field} in (${predicate.values.map(shown).join(", ")})`;
    default:
      return `${predicate.field} ${predicate.op} ${shown(predicate.value)}`;
  }
}

function lines({ step, detail, of }: PlanStep, head: string, rest: string): string[] {
  const own = `${head}${step}${detail === "" ? "" : ` ${detail}`}`;
  return [
    own,
    ...of.flatMap((part, at) => {
      const isLast = at === of.length - 1;
      return lines(part, `${rest}${isLast ? "└─ " : "├─ "}`, `${rest}${isLast ? "   " : "│  "}`);
    }),
  ];
}
