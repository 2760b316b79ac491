/**
 * Crashes a recorded program at every moment, or a sample of them, in every way that is tried there, and runs the check
 * on what is left. States that have been seen with the same promises are not checked again. Each failure is cut down to
 * its root cause; further ones with the same root cause are counted.
 */
import { Sfc32 } from "../choices/random.js";
import type { CrashItem, CrashKind } from "../disk/simulation-disk.js";
import type { NodeMachine } from "../node-fs/machine.js";
import { type CrashChoice, crashChoices } from "./crash-states.js";
import { describeFinding, type Finding, signatureOf } from "./findings.js";
import { type Check, runCheck } from "./program-check.js";
import { findRootCause } from "./root-cause.js";
import type { Session } from "./session.js";
import type { Tape, TapeEvent } from "./tape.js";
import { TapePlayer } from "./tape-player.js";
import { treeHash } from "./tree-hash.js";

export interface ExploreOptions {
  readonly kinds: readonly CrashKind[];
  /** Power losses tried at one moment. */
  readonly statesMax: number;
  /** Moments, drawn by the seed; null: all. */
  readonly sample: number | null;
  readonly findingsMax: number;
  readonly seed: string;
}

export interface Exploration {
  /** Steps that changed something. */
  readonly steps: number;
  /** Moments at which the program was crashed. */
  readonly moments: number;
  /** Crash states made, and those of them that were new and so were checked. */
  readonly states: number;
  readonly checked: number;
  readonly failed: number;
  /** Runs of the check in all, those that looked for root causes included. */
  readonly checks: number;
  /** Moments with so many possible states that only some were tried. */
  readonly sampledMoments: number;
  /** Over all crash states, in order: equal in two runs that did the same. */
  readonly hash: string;
  readonly findings: readonly Finding[];
}

/** Failures that are cut down; beyond them failures are only counted. */
const ROOT_CAUSES_MAX = 60;

export class Explorer {
  readonly #tape: Tape;
  readonly #session: Session;
  readonly #check: Check;
  readonly #options: ExploreOptions;
  readonly #player: TapePlayer;
  readonly #seen = new Set<string>();
  readonly #findings = new Map<string, Finding>();
  #moments = 0;
  #sampledMoments = 0;
  #states = 0;
  #checked = 0;
  #failed = 0;
  #checks = 0;
  #examined = 0;
  #hash = "";

  constructor(tape: Tape, session: Session, check: Check, options: ExploreOptions) {
    this.#tape = tape;
    this.#session = session;
    this.#check = check;
    this.#options = options;
    this.#player = new TapePlayer(tape, session.createMachine());
  }

  async run(onProgress: (position: number) => void): Promise<Exploration> {
    for (const moment of this.#chosenMoments()) {
      this.#player.playTo(moment);
      await this.#crashHere();
      onProgress(moment);
    }
    return {
      steps: this.#tape.events.filter((event) => event.kind === "step" && event.changes).length,
      moments: this.#moments,
      states: this.#states,
      checked: this.#checked,
      failed: this.#failed,
      checks: this.#checks,
      sampledMoments: this.#sampledMoments,
      hash: this.#hash,
      findings: [...this.#findings.values()],
    };
  }

  /** One crash state only. */
  async runOne(position: number, choice: CrashChoice): Promise<Finding | null> {
    this.#player.playTo(position);
    const items = this.#player.machine.disk.crashItems();
    const message = await this.#fails(choice);
    if (message === null) return null;
    const cause = { answers: choice.answers, lost: nonzero(choice.answers), kept: [] };
    return describeFinding(this.#player, this.#tape.events, items, choice.kind, cause, message);
  }

  /** After each event that changed something or promised something, and before the first. */
  #chosenMoments(): readonly number[] {
    const matters = (event: TapeEvent) => event.kind === "acknowledge" || event.changes;
    const all = [0, ...this.#tape.events.flatMap((event, index) => (matters(event) ? [index + 1] : []))];
    const { sample, seed } = this.#options;
    if (sample === null || sample >= all.length) return all;
    const random = new Sfc32(seed, "moments");
    while (all.length > sample) all.splice(random.below(all.length), 1);
    return all;
  }

  async #crashHere(): Promise<void> {
    this.#moments++;
    const { kinds, statesMax, seed } = this.#options;
    const items = this.#player.machine.disk.crashItems();
    const { choices, complete } = crashChoices(items, kinds, statesMax, seed);
    if (!complete) this.#sampledMoments++;
    for (const choice of choices) {
      this.#states++;
      const machine = this.#player.machine.crashed(choice.kind, choice.answers);
      const state = treeHash(machine.disk.root);
      const key = `${choice.kind} ${this.#player.acknowledged.length} ${this.#ended()} ${state}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.#hash = mixText(this.#hash, key);
      this.#checked++;
      const message = await this.#run(machine, choice.kind);
      if (message !== null) await this.#examine(items, choice, message);
    }
  }

  async #examine(items: readonly CrashItem[], choice: CrashChoice, message: string): Promise<void> {
    this.#failed++;
    if (this.#examined >= ROOT_CAUSES_MAX) return;
    this.#examined++;
    const { kind } = choice;
    const fails = async (answers: readonly number[]) => (await this.#fails({ kind, answers })) !== null;
    const cause =
      kind === "process-kill"
        ? { answers: [], lost: [], kept: [] }
        : await findRootCause(items, choice.answers, fails);
    const shown = (await this.#fails({ kind, answers: cause.answers })) ?? message;
    const finding = describeFinding(this.#player, this.#tape.events, items, kind, cause, shown);
    const signature = signatureOf(finding);
    const known = this.#findings.get(signature);
    if (known !== undefined) this.#findings.set(signature, { ...known, others: known.others + 1 });
    else if (this.#findings.size < this.#options.findingsMax) this.#findings.set(signature, finding);
  }

  #fails({ kind, answers }: CrashChoice): Promise<string | null> {
    const machine = this.#player.machine.crashed(kind, answers);
    return this.#run(machine, kind);
  }

  #run(machine: NodeMachine, kind: CrashKind): Promise<string | null> {
    this.#checks++;
    return runCheck(this.#check, this.#session, machine, this.#context(kind));
  }

  #context(crash: CrashKind) {
    return {
      acknowledged: [...this.#player.acknowledged],
      crash,
      directory: this.#tape.mount,
      ended: this.#ended(),
    };
  }

  #ended(): boolean {
    return this.#player.position === this.#tape.events.length;
  }
}

function nonzero(answers: readonly number[]): number[] {
  return answers.flatMap((answer, index) => (answer === 0 ? [] : [index]));
}

function mixText(hash: string, text: string): string {
  return new Sfc32(hash, text).nextUint32().toString(16).padStart(8, "0");
}
