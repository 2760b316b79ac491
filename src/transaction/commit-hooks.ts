/**
 * Commit hooks (features DF-69): code that a commit runs before and after itself, registered for a database or given to one
 * transaction. Before-hooks see what has been written and may read and write more in the same transaction, with conflicts as ever;
 * if one throws, nothing is committed. After-hooks see a commit that nothing undoes: what they throw goes to their own
 * `afterFailed` and to the observers.
 *
 * Order: by `priority`, then as registered, those of the database first. Neighbours of one priority that are `concurrent` run
 * together. All run again with each try. Transactions that wrote nothing have no commit, so they run none.
 * Owns order and errors; what a transaction lets hooks do is in `observed-transaction.ts`.
 */
import { StillwaterError } from "../platform/errors.js";
import type { AtomicOperation } from "./atomic.js";
import type { Transaction } from "./transaction.js";

/** A write as it was asked for; bytes are copies. */
export type WrittenMutation =
  | { readonly type: "set"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "clear"; readonly key: Uint8Array }
  | { readonly type: "clearRange"; readonly begin: Uint8Array; readonly end: Uint8Array }
  | {
      readonly type: "atomic";
      readonly operation: AtomicOperation;
      readonly key: Uint8Array;
      readonly operand: Uint8Array;
    }
  | {
      readonly type: "setVersionstampedKey" | "setVersionstampedValue";
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      readonly offset: number;
    };

/** What a transaction lets its before-hooks do: all but ending it. */
export type HookTransaction = Omit<
  Transaction,
  | "commit"
  | "onError"
  | "reset"
  | "cancel"
  | "setReadVersion"
  | "setOptions"
  | "getCommittedVersion"
  | "getVersionstamp"
  | "getConflictingRanges"
>;

export interface CommitContext {
  /** Different for each transaction of one opening of the database; the same in all tries. */
  readonly transactionId: number;
  /** As given to `createTransaction` or `transact`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** All writes so far, in order, with those of hooks that ran before. */
  readonly mutations: readonly WrittenMutation[];
}

/** What a commit hook is given before the commit, with the transaction. */
export interface BeforeCommitContext extends CommitContext {
  readonly transaction: HookTransaction;
}

/** What a commit hook is given after the commit. */
export interface AfterCommitContext extends CommitContext {
  readonly version: number;
}

/** A hook of commits: of plain transactions as of records. */
export interface Hook<Before, After> {
  /** Lower runs earlier. Default 0. */
  readonly priority?: number;
  /** Whether `before` may run together with others of its priority that may. Default false. */
  readonly concurrent?: boolean;
  /** What it throws the commit fails with. */
  before?(context: Before): void | Promise<void>;
  /** The commit waits for it before it resolves, but stands. */
  after?(context: After): void | Promise<void>;
  /** `after` has thrown. Must be there with it, so that no failure goes unheard. */
  afterFailed?(error: unknown, context: After): void;
}

/** Called around commits; see `addCommitHook`. */
export type CommitHook = Hook<BeforeCommitContext, AfterCommitContext>;

/** Throws `INVALID_ARGUMENT`. */
export function checkHook<Before, After>(hook: Hook<Before, After>): void {
  const { priority = 0, before, after, afterFailed } = hook;
  if (!Number.isFinite(priority)) throw refused("its priority must be a number");
  if (before === undefined && after === undefined) throw refused("it must have `before` or `after`");
  if (after !== undefined && afterFailed === undefined) {
    throw refused("with `after` it must have `afterFailed`: what `after` throws cannot fail the commit");
  }
}

/** Both lists in the order in which they run. */
export function orderedHooks<Before, After>(
  ofDatabase: readonly Hook<Before, After>[],
  ofTransaction: readonly Hook<Before, After>[],
): Hook<Before, After>[] {
  return [...ofDatabase, ...ofTransaction].sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
}

/** Rejects with the first error, in the order of the hooks, once all that have begun are done. */
export async function runBefore<Before, After>(
  hooks: readonly Hook<Before, After>[],
  context: Before,
): Promise<void> {
  for (let first = 0; first < hooks.length; ) {
    let end = first + 1;
    while (end < hooks.length && runTogether(hooks[first], hooks[end])) end++;
    const results = await Promise.allSettled(
      hooks.slice(first, end).map(async (hook) => hook.before?.(context)),
    );
    for (const result of results) if (result.status === "rejected") throw result.reason;
    first = end;
  }
}

/** Never rejects, unless `failed` throws. */
export async function runAfter<Before, After>(
  hooks: readonly Hook<Before, After>[],
  context: After,
  failed: (hook: Hook<Before, After>, error: unknown) => void,
): Promise<void> {
  for (const hook of hooks) {
    try {
      await hook.after?.(context);
    } catch (error) {
      failed(hook, error);
    }
  }
}

function runTogether<Before, After>(
  a: Hook<Before, After> | undefined,
  b: Hook<Before, After> | undefined,
): boolean {
  return a?.concurrent === true && b?.concurrent === true && (a.priority ?? 0) === (b.priority ?? 0);
}

function refused(why: string): StillwaterError {
  return new StillwaterError("INVALID_ARGUMENT", `this is no commit hook: ${why}.`);
}
