/**
 * Runs in the program's own process: writes down what it does to its disk and what it says on its standard output, and
 * leaves the tape in a real file when the process ends, however it ends. Stops a program that does not end by itself.
 */
import realFS from "node:fs";
import { dirname } from "node:path";
import { PAGE_BYTES } from "../disk/page.js";
import type { NodeFS } from "../node-fs/node-fs.js";
import type { Volume, VolumeStep } from "../node-fs/volume.js";
import { callSite } from "./call-site.js";
import { onRealFiles } from "./router.js";
import { OWN_FOLDER, type Session } from "./session.js";
import { stepOf, type TapeEvent, tapeToJSON } from "./tape.js";

/** Taken before they are replaced. */
const { writeFileSync } = realFS;
const realTimeout = setTimeout;

export interface RecorderOptions {
  /** The real file for the tape. */
  readonly tape: string;
  readonly eventsMax: number;
  readonly timeMaxMs: number;
}

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #session: Session;
  readonly #volume: Volume;
  readonly #pool: NodeFS["pool"];
  readonly #events: TapeEvent[] = [];
  #line = "";
  #cut: string | null = null;

  constructor(options: RecorderOptions, session: Session, volume: Volume, nodeFS: NodeFS) {
    this.#options = options;
    this.#session = session;
    this.#volume = volume;
    this.#pool = nodeFS.pool;
  }

  start(): void {
    const root = process.cwd();
    this.#pool.captureSite = () => callSite(dirname(OWN_FOLDER), root);
    this.#volume.onStep = (step) => {
      for (const part of interruptible(step)) this.#add(stepOf(part, this.#pool.site.current ?? ""));
    };
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
      this.#listen(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
      return write(chunk, ...rest);
    }) as typeof process.stdout.write;
    realTimeout(() => {
      this.#stop(`it ran for ${this.#options.timeMaxMs / 1000} s`);
    }, this.#options.timeMaxMs).unref();
    process.on("exit", (code) => this.#save(code));
  }

  #add(event: TapeEvent): void {
    this.#events.push(event);
    if (this.#events.length >= this.#options.eventsMax) this.#stop(`it made ${this.#events.length} steps`);
  }

  /** Each whole line is an acknowledgement. */
  #listen(text: string): void {
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#add({ kind: "acknowledge", text: line });
  }

  #stop(reason: string): void {
    if (this.#cut !== null) return;
    this.#cut = reason;
    process.exit(0);
  }

  #save(code: number): void {
    const { mount } = this.#session.options;
    const { base } = this.#session.files;
    const tape = { mount, base, events: this.#events, end: { code, cut: this.#cut } };
    onRealFiles(() => writeFileSync(this.#options.tape, JSON.stringify(tapeToJSON(tape))));
  }
}

/** A kill may interrupt a write between two pages; one such moment is enough, so the write is two steps. */
function interruptible(step: VolumeStep): readonly VolumeStep[] {
  if (step.call !== "write") return [step];
  const [fd, bytes, at] = step.parameters as readonly [number, Uint8Array, number];
  const pages = Math.floor((at + bytes.byteLength - 1) / PAGE_BYTES) - Math.floor(at / PAGE_BYTES) + 1;
  if (pages < 2) return [step];
  const first = (Math.floor(at / PAGE_BYTES) + Math.floor(pages / 2)) * PAGE_BYTES - at;
  return [
    { ...step, parameters: [fd, bytes.subarray(0, first), at] },
    { ...step, parameters: [fd, bytes.subarray(first), at + first] },
  ];
}
