/**
 * Records a run for the time-travel page: hears of events (`disk-recorder.ts`, `run-recorder.ts`), looks at the disk
 * when the next one comes, and so knows what each did. Everything goes into the columns of the trace model at once;
 * nothing is kept twice. Serves any program on a simulated disk: `classify` and `lanes` are all that is particular.
 * Promise: recording changes nothing about the run. One recorder records one run.
 */
import { assert } from "../../src/platform/assert.js";
import type { DiskRecorder, RecordedDisk } from "../disk/disk-recorder.js";
import type { MomentKind, RunRecorder } from "../world/run-recorder.js";
import { ContentStore } from "./content-store.js";
import { DiskTracker } from "./disk-tracker.js";
import { type Classify, currentFrames } from "./places.js";
import {
  CHANGE_NUMBERS,
  type CrashNote,
  type Headline,
  MODEL_FORMAT,
  type RecordedTrace,
  type SettledThing,
  STEP_KINDS,
  type StepKind,
} from "./trace-model.js";

/** How much of a run is recorded. */
export interface RecorderOptions {
  /** Null: calls have no place, and one lane. */
  readonly classify: Classify | null;
  /** Lanes that come first, in this order; others follow as they appear. */
  readonly lanes: readonly string[];
}

/** A key frame when the changes since the last one are so many times what it would take, and not sooner than this. */
const KEY_FRAME_RATIO = 3;
const KEY_FRAME_STEPS = 250;
const DEFAULT_LANE = "calls";

interface OpenSpan {
  readonly lane: number;
  readonly first: number;
  readonly text: string;
}

/** Records a run for the time-travel page. */
export class Recorder implements RunRecorder {
  readonly disk: DiskRecorder;
  private readonly options: RecorderOptions;
  private readonly texts = new Map<string, number>([["", 0]]);
  private readonly laneNumbers = new Map<string, number>();
  private readonly columns = emptyColumns();
  private readonly faults: number[] = [];
  private readonly spans = {
    lane: [] as number[],
    first: [] as number[],
    last: [] as number[],
    text: [] as number[],
    outcome: [] as number[],
  };
  private readonly open = new Map<string, OpenSpan>();
  private readonly crashes: CrashNote[] = [];
  private readonly changes: number[] = [];
  private readonly frames = { step: [] as number[], count: [] as number[], changes: [] as number[] };
  private readonly contents = new ContentStore();
  private readonly faultCounts = new Map<string, number>();
  private recorded: RecordedDisk | null = null;
  private tracker: DiskTracker | null = null;
  private nowUs = 0;
  private turns = 0;
  private changesSinceFrame = 0;
  private frameSize = 0;
  private crashPlace = "";

  constructor(options: RecorderOptions) {
    this.options = options;
    for (const lane of options.lanes) this.laneNumber(lane);
    this.disk = {
      attached: (disk) => {
        assert(this.recorded === null, "a recorder records one disk");
        this.recorded = disk;
        this.tracker = new DiskTracker(disk, this.contents, (name) => this.text(name));
      },
      call: (operation, path, a, b) => {
        const { classify } = this.options;
        const found = classify === null ? null : classify(currentFrames(this.disk.call));
        const lane = this.laneNumber(found?.lane ?? DEFAULT_LANE);
        const step = this.step("call", operation, path, a, b, lane);
        if (found !== null && found.place !== null) this.columns.place[step] = this.text(found.place);
      },
      secondPath: (path) => {
        this.columns.second[this.last] = this.text(path);
      },
      completion: (path, submission) => this.step("completion", "completes", path, submission),
      error: (errno, operation, _path, offset) => {
        const where = offset === undefined ? "" : ` at ${offset}`;
        this.columns.outcome[this.last] = this.text(`${operation} fails with ${errno}${where}`);
      },
      damage: (kind, path, offset) => this.step("damage", kind, path, offset),
      crash: (kind, life) => this.crash(kind, life),
    };
  }

  /** How many steps there are. */
  get steps(): number {
    return this.columns.kind.length;
  }

  begins(lane: string, id: number, text: string): void {
    const number = this.laneNumber(lane);
    const first = this.step("begins", text, "", 0, 0, number);
    this.open.set(`${lane} ${id}`, { lane: number, first, text });
  }

  ends(lane: string, id: number, outcome: string): void {
    const key = `${lane} ${id}`;
    const span = this.open.get(key);
    if (span === undefined) return;
    this.open.delete(key);
    if (outcome === "") {
      // Another begins at once: a step of its own would say nothing.
      this.endSpan(span, this.last, outcome);
      return;
    }
    const step = this.step("ends", span.text, "", 0, 0, span.lane);
    this.columns.outcome[step] = this.text(outcome);
    this.endSpan(span, step, outcome);
  }

  happens(kind: MomentKind, text: string): void {
    // The crash itself comes from the disk, at once.
    if (kind === "crash") this.crashPlace = text;
    else this.step(kind, text);
  }

  turn(): void {
    this.turns++;
  }

  /** What the power loss that has just struck decided, for the page. */
  settled(things: readonly SettledThing[]): void {
    const note = this.crashes.at(-1);
    assert(note !== undefined && note.settled.length === 0, "a power loss is settled once");
    this.crashes[this.crashes.length - 1] = { step: note.step, settled: things };
  }

  /** Ends the recording, once. */
  finish(headline: Headline): RecordedTrace {
    assert(this.tracker !== null, "a recording has a disk");
    const { failure } = headline;
    this.step(
      "end",
      failure === null ? "the run ends; no promise was broken" : `the run ends: ${failure.because}`,
    );
    this.settle();
    for (const span of this.open.values()) this.endSpan(span, this.last, "no answer when the run ended");
    return {
      model: {
        format: MODEL_FORMAT,
        headline,
        strings: [...this.texts.keys()],
        lanes: [...this.laneNumbers.keys()],
        steps: this.columns,
        faults: this.faults,
        spans: this.spans,
        crashes: this.crashes,
        directories: [...this.tracker.directories],
        changes: this.changes,
        keyFrames: this.frames,
        contents: this.contents.columns(),
      },
      heap: this.contents.heap(),
    };
  }

  private get last(): number {
    return this.columns.kind.length - 1;
  }

  /** Appends a step, after the one before has been given what it did. Returns its number. */
  private step(kind: StepKind, what: string, path = "", a = 0, b = 0, lane = -1): number {
    this.settle();
    const { columns } = this;
    const nowUs = Math.round((this.recorded?.timers.nowMs() ?? 0) * 1000);
    columns.kind.push(STEP_KINDS.indexOf(kind));
    columns.what.push(this.text(what));
    columns.path.push(this.text(path));
    columns.second.push(0);
    columns.a.push(a);
    columns.b.push(b);
    columns.outcome.push(0);
    columns.place.push(0);
    columns.lane.push(lane);
    columns.timeUs.push(nowUs - this.nowUs);
    columns.turns.push(this.turns);
    columns.changes.push(0);
    this.nowUs = nowUs;
    this.turns = 0;
    return this.last;
  }

  /** Looks at what the last step has done. */
  private settle(): void {
    const step = this.last;
    if (step < 0 || this.tracker === null || this.recorded === null) return;
    const { changes } = this;
    const before = changes.length;
    this.tracker.changes((kind, node, a, b) => changes.push(kind, node, a, b));
    const count = (changes.length - before) / CHANGE_NUMBERS;
    this.columns.changes[step] = count;
    this.changesSinceFrame += count;
    for (const [kind, times] of Object.entries(this.recorded.counters.faults)) {
      for (let seen = this.faultCounts.get(kind) ?? 0; seen < times; seen++) {
        this.faults.push(step, this.text(kind));
      }
      this.faultCounts.set(kind, times);
    }
    this.keyFrame(step);
  }

  private keyFrame(step: number): void {
    const { frames } = this;
    if (step - (frames.step.at(-1) ?? 0) < KEY_FRAME_STEPS) return;
    if (this.changesSinceFrame < KEY_FRAME_RATIO * this.frameSize) return;
    const before = frames.changes.length;
    this.tracker?.everything((kind, node, a, b) => frames.changes.push(kind, node, a, b));
    this.frameSize = (frames.changes.length - before) / CHANGE_NUMBERS;
    this.changesSinceFrame = 0;
    frames.step.push(step);
    frames.count.push(this.frameSize);
  }

  private crash(kind: string, life: number): void {
    const where = this.crashPlace;
    this.crashPlace = "";
    const step = this.step("crash", kind.replace("-", " "), "", life);
    this.columns.outcome[step] = this.text(where);
    this.crashes.push({ step, settled: [] });
    for (const span of this.open.values()) this.endSpan(span, step, "no answer: the process ended");
    this.open.clear();
  }

  private endSpan({ lane, first, text }: OpenSpan, last: number, outcome: string): void {
    const { spans } = this;
    spans.lane.push(lane);
    spans.first.push(first);
    spans.last.push(last);
    spans.text.push(this.text(text));
    spans.outcome.push(this.text(outcome));
  }

  private text(text: string): number {
    let number = this.texts.get(text);
    if (number === undefined) {
      number = this.texts.size;
      this.texts.set(text, number);
    }
    return number;
  }

  private laneNumber(lane: string): number {
    let number = this.laneNumbers.get(lane);
    if (number === undefined) {
      number = this.laneNumbers.size;
      this.laneNumbers.set(lane, number);
    }
    return number;
  }
}

function emptyColumns() {
  const column = (): number[] => [];
  return {
    kind: column(),
    what: column(),
    path: column(),
    second: column(),
    a: column(),
    b: column(),
    outcome: column(),
    place: column(),
    lane: column(),
    timeUs: column(),
    turns: column(),
    changes: column(),
  };
}
