/**
 * Plays a tape on a machine of its own, event by event, so that the machine can be looked at, and crashed, at any moment
 * of the program. Knows for each change on the disk which event made it. Does not own: which moments (`crash-states.ts`).
 */
import { assert } from "../../src/platform/assert.js";
import type { CrashItem } from "../disk/simulation-disk.js";
import type { NodeMachine } from "../node-fs/machine.js";
import type { Volume } from "../node-fs/volume.js";
import type { BaseEntry, Tape, TapeEvent, TapeStep } from "./tape.js";

export class TapePlayer {
  readonly machine: NodeMachine;
  /** Events played so far. */
  position = 0;
  /** What the program has acknowledged so far. */
  readonly acknowledged: string[] = [];
  readonly #tape: Tape;
  readonly #volume: Volume;
  /** Descriptors of the program, by the numbers that it had. */
  readonly #descriptors = new Map<number, number>();
  /** The last sequence number after each event. */
  readonly #sequences: number[] = [];
  readonly #firstSequence: number;

  constructor(tape: Tape, machine: NodeMachine) {
    this.#tape = tape;
    this.machine = machine;
    this.#volume = machine.mount();
    for (const entry of tape.base) machine.provide(entry as BaseEntry);
    this.#firstSequence = machine.disk.sequence;
  }

  get event(): TapeEvent | undefined {
    return this.#tape.events[this.position];
  }

  /** Plays the next event. */
  step(): void {
    const { event } = this;
    assert(event !== undefined, "there is an event to play");
    if (event.kind === "acknowledge") this.acknowledged.push(event.text);
    else this.#perform(event);
    this.position++;
    this.#sequences.push(this.machine.disk.sequence);
  }

  playTo(position: number): void {
    while (this.position < position) this.step();
  }

  /** The events that made states of this item, newest first. */
  eventsOf(item: CrashItem): readonly number[] {
    return item.sequences
      .filter((sequence) => sequence > this.#firstSequence)
      .map((sequence) => this.#sequences.findIndex((last) => sequence <= last))
      .filter((event) => event >= 0);
  }

  #perform({ call, parameters }: TapeStep): void {
    const volume = this.#volume;
    const [a, b, c, d] = parameters;
    switch (call) {
      case "open":
        this.#descriptors.set(d as number, volume.open(a as string, b as number, c as number));
        return;
      case "close":
        volume.close(this.#descriptor(a));
        return;
      case "write": {
        const bytes = b as Uint8Array;
        volume.write(this.#descriptor(a), bytes, 0, bytes.byteLength, c as number);
        return;
      }
      case "ftruncate":
        volume.ftruncate(this.#descriptor(a), b as number);
        return;
      case "fsync":
      case "fdatasync":
        volume[call](this.#descriptor(a));
        return;
      case "mkdir":
        volume.mkdir(a as string, b as number);
        return;
      case "rmdir":
      case "unlink":
        volume[call](a as string);
        return;
      case "rename":
      case "link":
      case "symlink":
        volume[call](a as string, b as string);
        return;
      case "chmod": {
        const path = a as string;
        const node = volume.find("chmod", path, false);
        if (node !== null) volume.chmod(node, b as number, path);
        return;
      }
    }
  }

  #descriptor(recorded: unknown): number {
    const fd = this.#descriptors.get(recorded as number);
    assert(fd !== undefined, "a tape opens what it uses");
    return fd;
  }
}
