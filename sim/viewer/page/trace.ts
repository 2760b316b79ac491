/**
 * The recorded run as the page asks about it: each step in words, its time, process and operation, faults, and the
 * steps that are worth stopping at. Reads the trace model; knows nothing of elements.
 */
import { type CrashNote, type Headline, STEP_KINDS, type StepKind, type TraceModel } from "../trace-model.js";
import { lastAtMost } from "../trace-reader.js";

/** What a step is to people: what the filter switches and the colours tell apart. */
export const CATEGORIES = ["write", "sync", "name", "read", "run", "fault"] as const;
export type Category = (typeof CATEGORIES)[number];

const CATEGORY_OF_CALL: Readonly<Record<string, Category>> = {
  write: "write",
  truncate: "write",
  createFile: "name",
  removeFile: "name",
  rename: "name",
  link: "name",
  makeDirectory: "name",
  removeDirectory: "name",
  syncDirectory: "sync",
  syncData: "sync",
  syncDataLater: "sync",
};

/** Moments of the run that the list shows with the faults, whatever is switched off. */
const GRAVE: ReadonlySet<StepKind> = new Set(["crash", "damage", "finding", "end"]);

export class Trace {
  readonly model: TraceModel;
  readonly steps: number;
  readonly headline: Headline;
  /** Virtual time of each step. */
  readonly timeUs: Float64Array;
  readonly turn: Uint32Array;
  readonly category: Uint8Array;
  /** Steps at which a fault struck, the machine crashed or something was found; ascending. */
  readonly marks: readonly number[];
  /** Steps at which an operation of the main task begins. */
  readonly operations: readonly number[];
  /** Steps at which a process begins. */
  readonly lives: readonly number[];
  readonly crashes: readonly number[];
  private readonly faults = new Map<number, string[]>();
  private readonly notes = new Map<number, CrashNote>();

  constructor(model: TraceModel) {
    this.model = model;
    this.headline = model.headline;
    this.steps = model.steps.kind.length;
    this.timeUs = new Float64Array(this.steps);
    this.turn = new Uint32Array(this.steps);
    this.category = new Uint8Array(this.steps);
    for (let i = 0; i < model.faults.length; i += 2) {
      const step = model.faults[i] as number;
      const kind = this.string(model.faults[i + 1]);
      this.faults.set(step, [...(this.faults.get(step) ?? []), kind]);
    }
    for (const note of model.crashes) this.notes.set(note.step, note);
    const marks: number[] = [];
    const operations: number[] = [];
    const lives: number[] = [];
    const crashes: number[] = [];
    let timeUs = 0;
    let turn = 0;
    for (let step = 0; step < this.steps; step++) {
      timeUs += model.steps.timeUs[step] ?? 0;
      turn += model.steps.turns[step] ?? 0;
      this.timeUs[step] = timeUs;
      this.turn[step] = turn;
      const kind = this.kind(step);
      this.category[step] = CATEGORIES.indexOf(this.categoryOf(step, kind));
      if (GRAVE.has(kind) || this.faults.has(step)) marks.push(step);
      if (kind === "begins" && model.steps.lane[step] === 0) operations.push(step);
      if (kind === "life") lives.push(step);
      if (kind === "crash") crashes.push(step);
    }
    this.marks = marks;
    this.operations = operations;
    this.lives = lives;
    this.crashes = crashes;
  }

  kind(step: number): StepKind {
    return STEP_KINDS[this.model.steps.kind[step] as number] as StepKind;
  }

  what(step: number): string {
    return this.string(this.model.steps.what[step]);
  }

  path(step: number): string {
    return this.string(this.model.steps.path[step]);
  }

  secondPath(step: number): string {
    return this.string(this.model.steps.second[step]);
  }

  place(step: number): string {
    return this.string(this.model.steps.place[step]);
  }

  outcome(step: number): string {
    return this.string(this.model.steps.outcome[step]);
  }

  lane(step: number): string {
    return this.model.lanes[this.model.steps.lane[step] ?? -1] ?? "";
  }

  faultsAt(step: number): readonly string[] {
    return this.faults.get(step) ?? [];
  }

  crashNote(step: number): CrashNote | null {
    return this.notes.get(step) ?? null;
  }

  isGrave(step: number): boolean {
    return GRAVE.has(this.kind(step)) || this.faults.has(step) || this.outcome(step).includes(" fails with ");
  }

  /** Number of the process that lives at this step; 0 before the first. */
  processAt(step: number): number {
    return lastAtMost(this.lives, step) + 1;
  }

  /** The step where the operation under way began, or -1. */
  operationAt(step: number): number {
    return this.operations[lastAtMost(this.operations, step)] ?? -1;
  }

  /** A step in a line: verb and object. */
  verb(step: number): string {
    const kind = this.kind(step);
    const what = this.what(step);
    if (kind === "call") return CALL_WORDS[what] ?? what;
    if (kind === "completion") return "completes";
    if (kind === "crash-point") return "passes";
    if (kind === "life") return "starts";
    if (kind === "ends") return "answer";
    return kind === "begins" ? "begins" : kind;
  }

  object(step: number): string {
    const { a: as, b: bs } = this.model.steps;
    const a = as[step] ?? 0;
    const b = bs[step] ?? 0;
    const path = this.path(step);
    const what = this.what(step);
    switch (this.kind(step)) {
      case "call":
        if (what === "write" || what === "read" || what === "readLater") return `${path} [${a}, ${a + b})`;
        if (what === "truncate") return `${path} to ${a}`;
        return this.secondPath(step) === "" ? path : `${path} → ${this.secondPath(step)}`;
      case "completion":
        return path;
      case "damage":
        return `${what} in ${path} at ${a}`;
      default:
        return what;
    }
  }

  /** Everything of a step that a search looks at. */
  searchText(step: number): string {
    const parts = [this.what(step), this.verb(step), this.object(step), this.outcome(step), this.place(step)];
    return [...parts, ...this.faultsAt(step)].join(" ").toLowerCase();
  }

  string(number: number | undefined): string {
    return this.model.strings[number ?? 0] ?? "";
  }

  /** The step at which the failure was seen: where it was found, or the end. */
  failedAt(): number {
    return this.marks.find((step) => this.kind(step) === "finding") ?? this.steps - 1;
  }

  /** Where to begin: at what was found; or at the last crash, which recovery then stumbled over; or at the beginning. */
  firstView(): number {
    if (this.headline.failure === null) return 0;
    const found = this.failedAt();
    return this.kind(found) === "finding" ? found : (this.crashes.at(-1) ?? found);
  }

  private categoryOf(step: number, kind: StepKind): Category {
    if (GRAVE.has(kind)) return "fault";
    if (kind === "call") return CATEGORY_OF_CALL[this.what(step)] ?? "read";
    return kind === "completion" ? "sync" : "run";
  }
}

const CALL_WORDS: Readonly<Record<string, string>> = {
  createFile: "create",
  openFile: "open",
  removeFile: "unlink",
  makeDirectory: "mkdir",
  removeDirectory: "rmdir",
  syncDirectory: "sync names",
  lockDirectory: "lock",
  syncData: "sync",
  syncDataLater: "sync later",
  readLater: "read later",
};
