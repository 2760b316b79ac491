/**
 * What the backend uses of npm's `foundationdb` 2, as types of our own: the package is native code that cannot even be
 * installed without FoundationDB's client library, so nothing but this file knows it, and only when a database is opened.
 * `test/foundationdb-cluster/types.test.ts` compares them with those of the package where that is installed.
 */
import { StillwaterError } from "../../platform/errors.js";

export interface FdbRows {
  results: [key: Buffer, value: Buffer][];
  more: boolean;
}

export interface FdbWatch {
  cancel(): void;
  /** False when it ended without a change. */
  promise: Promise<boolean>;
}

/** A transaction of the native client; errors have FoundationDB's number as their `code`. */
export interface FdbTransaction {
  setOption(code: number, value: string | number | Buffer | null): void;
  commit(): Promise<void>;
  reset(): void;
  cancel(): void;
  /** Waits and resets for an error that passes; rejects otherwise. */
  onError(code: number): Promise<void>;
  get(key: Buffer, isSnapshot: boolean): Promise<Buffer | undefined>;
  getKey(key: Buffer, orEqual: boolean, offset: number, isSnapshot: boolean): Promise<Buffer>;
  /** `limit` and `targetBytes` 0 are unlimited; `iteration` counts from 1 and matters to the mode "iterator". */
  getRange(
    begin: Buffer,
    beginOrEqual: boolean,
    beginOffset: number,
    end: Buffer,
    endOrEqual: boolean,
    endOffset: number,
    limit: number,
    targetBytes: number,
    mode: number,
    iteration: number,
    isSnapshot: boolean,
    reverse: boolean,
  ): Promise<FdbRows>;
  set(key: Buffer, value: Buffer): void;
  clear(key: Buffer): void;
  clearRange(begin: Buffer, end: Buffer): void;
  atomicOp(type: number, key: Buffer, operand: Buffer): void;
  watch(key: Buffer, ignoresStandardErrors: boolean): FdbWatch;
  addReadConflictRange(begin: Buffer, end: Buffer): void;
  addWriteConflictRange(begin: Buffer, end: Buffer): void;
  /** Versions are 8 bytes, big-endian. */
  setReadVersion(version: Buffer): void;
  getReadVersion(): Promise<Buffer>;
  getCommittedVersion(): Buffer;
  getVersionstamp(): Promise<Buffer>;
}

export interface FdbDatabase {
  /** The native database below the package's own transactions, which hide keys that this backend shows. */
  readonly _db: { createTransaction(): FdbTransaction };
  close(): void;
}

export interface FdbModule {
  setAPIVersion(version: number): void;
  open(clusterFile?: string): FdbDatabase;
}

/** FoundationDB's numbers of transaction options (its vexillographer/fdb.options). */
export const OPTION = {
  nextWriteNoWriteConflictRange: 30,
  readYourWritesDisable: 51,
  prioritySystemImmediate: 200,
  priorityBatch: 201,
  accessSystemKeys: 301,
  timeout: 500,
  retryLimit: 501,
  maxRetryDelay: 502,
  sizeLimit: 503,
  snapshotReadYourWritesEnable: 600,
  snapshotReadYourWritesDisable: 601,
  reportConflictingKeys: 712,
} as const;

/** FoundationDB's numbers of the mutations that are no atomic operations of `atomic.ts`. */
export const MUTATION = { setVersionstampedKey: 14, setVersionstampedValue: 15 } as const;

export const STREAMING_MODE = {
  wantAll: -2,
  iterator: -1,
  exact: 0,
  small: 1,
  medium: 2,
  large: 3,
  serial: 4,
} as const;

/** Throws `MISSING_DEPENDENCY`. `load` is for tests. */
export async function loadFoundationdb(load: () => Promise<unknown> = importPackage): Promise<FdbModule> {
  try {
    const loaded = (await load()) as FdbModule & { readonly default?: FdbModule };
    // It is a CommonJS module: not every export need be named for an ES module.
    return loaded.default ?? loaded;
  } catch (error) {
    throw new StillwaterError(
      "MISSING_DEPENDENCY",
      'the FoundationDB backend runs on the package "foundationdb", which cannot be loaded. Install FoundationDB\'s client ' +
        "library (libfdb_c, of the version of the cluster), then: npm install foundationdb@2",
      { cause: error },
    );
  }
}

function importPackage(): Promise<unknown> {
  // @ts-expect-error It is never installed where this is compiled.
  return import("foundationdb");
}
