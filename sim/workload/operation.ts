/**
 * What a workload does, as plain data: an operation carries everything it needs, so that a recorded list runs again
 * without the generator and a shrinker may drop or change any part of it. Keys are byte strings (`bytes.ts`), values
 * are (writer, length). Snapshots and iterators are named by the number of the operation that opened them; an
 * operation whose subject is not there (because the shrinker took it, or a crash did) does nothing.
 */
import type { CrashMoment, CrashRequest } from "../world/crash-plan.js";
import type { RecordSettings, RecordStep } from "./record-steps.js";
import type { TransactionSettings, TransactionStep } from "./transaction-steps.js";

/** One write of a batch in a case, as plain data. */
export type Mutation =
  | readonly ["put", key: string, writer: number, length: number]
  | readonly ["delete", key: string]
  | readonly ["deleteRange", begin: string, end: string];

export interface Bounds {
  readonly gte?: string;
  readonly gt?: string;
  readonly lte?: string;
  readonly lt?: string;
  readonly reverse?: boolean;
}

/** One step of a workload, as plain data. */
export type Operation =
  /**
   * One commit. `call`: `batch` uses write(), `single` put/delete/deleteRange (one mutation only), `blocking`
   * writeSync(). `requireAhead`: requireVersionAtLeast, relative to the newest version at that moment.
   */
  | {
      readonly kind: "write";
      readonly call: "batch" | "single" | "blocking";
      readonly mutations: readonly Mutation[];
      readonly durability?: "sync" | "buffered";
      readonly requireAhead?: number;
    }
  | { readonly kind: "get"; readonly key: string; readonly blocking?: boolean; readonly snapshot?: number }
  | { readonly kind: "getMany"; readonly keys: readonly string[]; readonly snapshot?: number }
  | ({
      readonly kind: "scan";
      readonly limit?: number;
      readonly snapshot?: number;
      readonly awaited?: boolean;
    } & Bounds)
  | { readonly kind: "openSnapshot"; readonly id: number }
  | { readonly kind: "closeSnapshot"; readonly id: number }
  | ({ readonly kind: "openIterator"; readonly id: number; readonly snapshot?: number } & Bounds)
  | { readonly kind: "stepIterator"; readonly id: number; readonly count: number }
  | { readonly kind: "seekIterator"; readonly id: number; readonly key: string }
  | { readonly kind: "closeIterator"; readonly id: number }
  /** `waits`: the workload goes on only when it is done. */
  | { readonly kind: "flush"; readonly waits: boolean }
  | { readonly kind: "compact"; readonly waits: boolean }
  /** Takes a checkpoint, opens it as a store of its own and compares; `restores`: and a copy restored from it. */
  | { readonly kind: "checkpoint"; readonly restores: boolean }
  /**
   * A call about backups of the store in one repository. `which` says of which backup, how many are kept, or where the
   * damage is, each by its remainder; `waits`: the workload goes on only when it is done.
   */
  | {
      readonly kind: "backup";
      readonly call: BackupCall;
      readonly which: number;
      readonly waits: boolean;
    }
  | { readonly kind: "verify" }
  /** Compares the whole store with the model, both directions, and checks the shape of the tree. */
  | { readonly kind: "checkAll" }
  /** Waits for every commit and maintenance call in flight. */
  | { readonly kind: "settle" }
  | { readonly kind: "pause"; readonly ms: number }
  /** Closes the store and opens it again in a new process. `settles`: waits for what is in flight first. */
  | { readonly kind: "reopen"; readonly settles: boolean }
  /** Somebody else opens the store while it is open; with `waitsMs` after having waited for so long. */
  | { readonly kind: "openSecond"; readonly waitsMs?: number }
  /** What a reader in another process does; `id` is the number of the operation that opened it. */
  | {
      readonly kind: "reader";
      readonly id: number;
      readonly does: (typeof READER_ACTIONS)[number];
      /** The workload goes on only when it is done. */
      readonly waits: boolean;
    }
  /** Leaves this much free space on the disk; null gives back all of it. */
  | { readonly kind: "limitSpace"; readonly freeBytes: number | null }
  /** The operating system drops what it has cached of files, as far as it is written back. */
  | { readonly kind: "dropCaches" }
  /** A client runs these steps as one transaction until it commits; the workload goes on meanwhile. */
  | ({ readonly kind: "transact"; readonly steps: readonly TransactionStep[] } & TransactionSettings)
  /** The same over documents; the workload goes on meanwhile. */
  | ({ readonly kind: "records"; readonly steps: readonly RecordStep[] } & RecordSettings)
  /** Arms a crash; `nested` are the crashes of the recoveries that follow it. */
  | {
      readonly kind: "crash";
      readonly how: CrashRequest["how"];
      readonly at: CrashMoment;
      readonly nested: readonly CrashRequest[];
    };

/** `pin`: takes a snapshot, or reads the one there is and gives it back. */
export const READER_ACTIONS = ["open", "refresh", "read", "pin", "close"] as const;

/** The kinds of steps. */
export type OperationKind = Operation["kind"];

/** `damage`: something flips a bit in the repository, which must be found, and puts it right again. */
export const BACKUP_CALLS = ["create", "verify", "restore", "delete", "prune", "damage"] as const;
export type BackupCall = (typeof BACKUP_CALLS)[number];

export const OPERATION_KINDS: readonly OperationKind[] = [
  "write",
  "get",
  "scan",
  "openSnapshot",
  "closeSnapshot",
  "openIterator",
  "stepIterator",
  "seekIterator",
  "closeIterator",
  "flush",
  "compact",
  "checkpoint",
  "verify",
  "checkAll",
  "settle",
  "pause",
  "reopen",
  "limitSpace",
  "dropCaches",
  "crash",
  "getMany",
  "openSecond",
  "transact",
  "records",
  "reader",
  "backup",
];

/** Crashes that one operation may cause: itself and those during recovery. */
export const NESTED_CRASHES_MAX = 3;

/** T8: and so many when they are a loop, all at one site. */
export const CRASH_LOOP_LENGTH = 10;

/** Mutations that one commit may hold; with the operation's number they name the writer of a value. */
export const MUTATIONS_MAX = 64;

/** The number under which a value names the mutation that stored it. */
export function writerOfMutation(operation: number, index: number): number {
  return operation * MUTATIONS_MAX + index;
}

export function operationOfWriter(writer: number): number {
  return Math.floor(writer / MUTATIONS_MAX);
}
