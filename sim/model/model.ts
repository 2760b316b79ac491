/**
 * What the store must contain: every commit submitted, in order, and for each key what each commit made of it. The
 * model can therefore give the state after any prefix of the commits since its base, which is what snapshots, readers
 * beside writers, and crashes need.
 *
 * Promises: O(1) per mutation, O(keys) per range delete and per comparison with a whole store. Sequence numbers are
 * the order in which commits were handed to the engine, which is the order of their versions.
 * Does not own: judging. It says what may be; `sim/oracles` say what is broken.
 */
import type { Durability } from "../../src/engine/options.js";
import { assert } from "../../src/platform/assert.js";
import { keyBytes } from "../workload/bytes.js";
import { Commit, type ModelMutation } from "./commit.js";
import { ABSENT, KeyHistory } from "./key-history.js";

/** A span of prefixes: the state is the one after commit `low`, or `high`, or one between. */
export interface PrefixSpan {
  low: number;
  high: number;
}

export class Model {
  /** Every key ever written, ascending. */
  readonly histories: KeyHistory[] = [];
  /** Operations whose commits a recovery has decided to be lost. */
  readonly lostOperations = new Set<number>();
  readonly #byKey = new Map<string, KeyHistory>();
  /** Commits after the base, by sequence; refused ones are gone. */
  #commits: Commit[] = [];
  /** The state before this commit is no longer known. */
  #base = 0;
  /** What the last recovery found; commits up to here have their outcome for good. */
  #resolved = 0;
  #resolvedVersion = 0;
  #submitted = 0;
  #floorAfterKill = 0;
  #floorAfterPowerLoss = 0;
  #versionMax = 0;
  #versionsUsed = 0;

  /** The same trace and promises, apart: for judging what a crash at this moment would leave. O(commits + keys). */
  copy(): Model {
    const copy = new Model();
    for (const history of this.histories) {
      const own = history.copy();
      copy.histories.push(own);
      copy.#byKey.set(own.key, own);
    }
    for (const operation of this.lostOperations) copy.lostOperations.add(operation);
    copy.#commits = this.#commits.map((commit) => commit.copy());
    copy.#base = this.#base;
    copy.#resolved = this.#resolved;
    copy.#resolvedVersion = this.#resolvedVersion;
    copy.#submitted = this.#submitted;
    copy.#floorAfterKill = this.#floorAfterKill;
    copy.#floorAfterPowerLoss = this.#floorAfterPowerLoss;
    copy.#versionMax = this.#versionMax;
    copy.#versionsUsed = this.#versionsUsed;
    return copy;
  }

  /** Newest commit handed to the engine. */
  get submitted(): number {
    return this.#submitted;
  }

  get base(): number {
    return this.#base;
  }

  get resolved(): number {
    return this.#resolved;
  }

  get resolvedVersion(): number {
    return this.#resolvedVersion;
  }

  /** The newest version that a former life has acknowledged or recovered. */
  get versionsUsed(): number {
    return this.#versionsUsed;
  }

  /** Commits after the base in order. */
  get commits(): readonly Commit[] {
    return this.#commits;
  }

  /** The shortest prefix that must survive the end of the process. */
  get floorAfterKill(): number {
    return this.#floorAfterKill;
  }

  /** The shortest prefix that must survive the loss of power. */
  get floorAfterPowerLoss(): number {
    return this.#floorAfterPowerLoss;
  }

  /** A commit is about to be handed to the engine. */
  submit(operation: number, mutations: readonly ModelMutation[], durability: Durability): Commit {
    const commit = new Commit(++this.#submitted, operation, mutations, durability);
    this.#commits.push(commit);
    for (const mutation of mutations) this.#apply(commit.sequence, mutation);
    return commit;
  }

  /** The engine has answered with a version: the commit is durable as far as its durability says. */
  acknowledge(commit: Commit, version: number, nowMs: number): void {
    commit.outcome = "acknowledged";
    commit.version = version;
    commit.acknowledgedMs = nowMs;
    if (version > this.#versionMax) this.#versionMax = version;
    if (commit.durability === "none") return;
    if (commit.sequence > this.#floorAfterKill) this.#floorAfterKill = commit.sequence;
    if (commit.durability === "sync") this.#raiseDurable(commit.sequence);
  }

  /** Commits up to this one are durable for another reason: a flush, a clean close. */
  durableUpTo(sequence: number): void {
    if (sequence > this.#floorAfterKill) this.#floorAfterKill = sequence;
    this.#raiseDurable(sequence);
  }

  /** Buffered commits that were answered before this time have been in the page cache for as long as they may be. */
  promiseBuffered(beforeMs: number): void {
    for (let i = this.#commits.length - 1; i >= 0; i--) {
      const commit = this.#commits[i] as Commit; // i < length
      if (commit.sequence <= this.#floorAfterPowerLoss) return;
      const isOld = commit.outcome === "acknowledged" && commit.acknowledgedMs < beforeMs;
      if (isOld && commit.durability === "buffered") {
        this.#raiseDurable(commit.sequence);
        return;
      }
    }
  }

  /** The engine has answered that the commit was never begun. */
  refuse(commit: Commit): void {
    const index = this.#commits.indexOf(commit);
    assert(index >= 0 && commit.outcome === "pending", "a refused commit was pending");
    this.#commits.splice(index, 1);
    for (const history of this.histories) history.withdraw(commit.sequence);
  }

  /** The newest acknowledged commit, or what the last recovery found. */
  acknowledgedUpTo(): number {
    for (let i = this.#commits.length - 1; i >= 0; i--) {
      const commit = this.#commits[i] as Commit; // i < length
      if (commit.outcome === "acknowledged") return commit.sequence;
    }
    return this.#resolved;
  }

  /**
   * The prefixes that a reader at `version` may see: exact when that version was answered, else from the newest
   * answered one below it up to what was handed in, since answers may still be on their way.
   */
  visibleAt(version: number): PrefixSpan {
    let low = this.#resolved;
    let lowVersion = this.#resolvedVersion;
    let high = this.#submitted;
    for (let i = this.#commits.length - 1; i >= 0; i--) {
      const commit = this.#commits[i] as Commit; // i < length
      if (commit.sequence <= this.#resolved) break;
      if (commit.outcome !== "acknowledged") continue;
      if (commit.version > version) {
        high = commit.sequence - 1;
        continue;
      }
      low = commit.sequence;
      lowVersion = commit.version;
      break;
    }
    return version === lowVersion ? { low, high: low } : { low, high };
  }

  /** The version that answered commit `sequence`; 0 when none did, as far as is still known. */
  versionAt(sequence: number): number {
    return this.#commits.find((commit) => commit.sequence === sequence)?.version ?? 0;
  }

  history(key: string): KeyHistory | undefined {
    return this.#byKey.get(key);
  }

  /** Index of the first history whose key is >= `key`. */
  indexOf(key: string): number {
    let low = 0;
    let high = this.histories.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.histories[middle] as KeyHistory).key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Keys that are there after commit `sequence`, ascending. */
  liveKeysAt(sequence: number): string[] {
    const keys: string[] = [];
    for (const history of this.histories) {
      if (history.writerAt(sequence) !== ABSENT) keys.push(history.key);
    }
    return keys;
  }

  /**
   * A recovery has found the state after commit `sequence`, at `version`: later commits are lost for good, earlier
   * ones durable for good. History before the previous recovery is forgotten; since then it is kept, so that a commit
   * which vanishes later can be named.
   */
  resolve(sequence: number, version: number): void {
    assert(sequence >= this.#resolved && sequence <= this.#submitted, "a recovery resolves a known prefix");
    const base = this.#resolved;
    for (const commit of this.#commits) {
      if (commit.sequence > sequence) this.lostOperations.add(commit.operation);
    }
    this.#commits = this.#commits.filter((commit) => commit.sequence > base && commit.sequence <= sequence);
    for (const history of this.histories) history.forgetOutside(base, sequence);
    this.#base = base;
    this.#resolved = sequence;
    this.#resolvedVersion = version;
    this.#versionMax = Math.max(this.#versionMax, version);
    this.#versionsUsed = this.#versionMax;
    this.#floorAfterKill = sequence;
    this.#floorAfterPowerLoss = sequence;
  }

  #raiseDurable(sequence: number): void {
    if (sequence > this.#floorAfterPowerLoss) this.#floorAfterPowerLoss = sequence;
  }

  #apply(sequence: number, mutation: ModelMutation): void {
    if (mutation[0] === "put") {
      this.#historyFor(mutation[1]).push(sequence, mutation[2], mutation[3]);
    } else if (mutation[0] === "literal") {
      const [, key, writer, bytes] = mutation;
      this.#historyFor(key).push(sequence, writer, bytes.length, bytes);
    } else if (mutation[0] === "delete") {
      this.#historyFor(mutation[1]).push(sequence, ABSENT, 0);
    } else {
      const [, begin, end] = mutation;
      for (let i = this.indexOf(begin); i < this.histories.length; i++) {
        const history = this.histories[i] as KeyHistory; // i < length
        if (history.key >= end) break;
        if (history.sequences.length > 0) history.push(sequence, ABSENT, 0);
      }
    }
  }

  #historyFor(key: string): KeyHistory {
    let history = this.#byKey.get(key);
    if (history === undefined) {
      history = new KeyHistory(key, keyBytes(key));
      this.histories.splice(this.indexOf(key), 0, history);
      this.#byKey.set(key, history);
    }
    return history;
  }
}
