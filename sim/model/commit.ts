/**
 * One commit in the model's trace. Its outcome is unknown until the engine answers, and stays unknown when a crash or
 * an error takes the answer away: then recovery decides, once and for all.
 */
import type { Durability } from "../../src/engine/options.js";
import type { Mutation } from "../workload/operation.js";

/** What a commit does to a key; `literal` is what a transaction has computed. */
export type ModelMutation = Mutation | readonly ["literal", key: string, writer: number, bytes: Uint8Array];

export type CommitOutcome =
  /** Submitted; no answer yet. */
  | "pending"
  /** Answered with a version. */
  | "acknowledged"
  /** Answered with an error that leaves open whether it is in the log. */
  | "unknown";

export class Commit {
  /** Place in the order of submission, which is the order of versions. From 1, over all lives. */
  readonly sequence: number;
  readonly operation: number;
  readonly mutations: readonly ModelMutation[];
  readonly durability: Durability;
  outcome: CommitOutcome = "pending";
  /** 0 until acknowledged. */
  version = 0;
  acknowledgedMs = 0;

  constructor(
    sequence: number,
    operation: number,
    mutations: readonly ModelMutation[],
    durability: Durability,
  ) {
    this.sequence = sequence;
    this.operation = operation;
    this.mutations = mutations;
    this.durability = durability;
  }

  copy(): Commit {
    const copy = new Commit(this.sequence, this.operation, this.mutations, this.durability);
    copy.outcome = this.outcome;
    copy.version = this.version;
    copy.acknowledgedMs = this.acknowledgedMs;
    return copy;
  }

  describe(): string {
    const version = this.version === 0 ? this.outcome : `version ${this.version}`;
    return `commit ${this.sequence} (operation ${this.operation}, ${this.durability}, ${version})`;
  }
}
