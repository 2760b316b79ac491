/**
 * What the backend uses of npm's `etcd3`, as types of our own, so that nobody needs that package to compile; and the one
 * place that loads it, when a database is opened. Does not own: what is asked of etcd, and what its errors mean.
 */
import { StillwaterError } from "../../platform/errors.js";

export interface EtcdKeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Of the last change of the key. */
  readonly mod_revision: string;
  /** How often the key has been put since it was created. */
  readonly version: string;
}

export interface EtcdRange {
  readonly key: Buffer;
  /** Without it, the key alone. */
  readonly range_end?: Buffer;
  readonly limit?: number;
  /** 0 and absent: the newest. */
  readonly revision?: number;
  readonly sort_order?: "Descend";
  /** Answered by the member that is asked, which may be behind; else the member asks the leader first. */
  readonly serializable?: boolean;
  readonly keys_only?: boolean;
}

export interface EtcdRows {
  readonly header: { readonly revision: string };
  readonly kvs: readonly EtcdKeyValue[];
  readonly more: boolean;
}

export interface EtcdCompare {
  readonly target: "Version" | "Mod";
  readonly result: "Equal" | "Less";
  readonly key: Buffer;
  readonly range_end?: Buffer;
  readonly version?: number;
  readonly mod_revision?: number;
}

export interface EtcdOperation {
  readonly request_range?: EtcdRange;
  readonly request_put?: {
    readonly key: Buffer;
    readonly value: Buffer;
    readonly prev_kv?: boolean;
    /** When it ends, the key goes. */
    readonly lease?: string;
  };
  readonly request_delete_range?: { readonly key: Buffer; readonly range_end?: Buffer };
}

export interface EtcdTxn {
  compare: EtcdCompare[];
  success: EtcdOperation[];
  failure: EtcdOperation[];
}

export interface EtcdTxnResult {
  readonly header: { readonly revision: string };
  readonly succeeded: boolean;
  readonly responses: readonly {
    readonly response_range: EtcdRows;
    readonly response_put: { readonly prev_kv: EtcdKeyValue | null };
  }[];
}

interface CallOptions {
  /** Milliseconds since 1970. */
  readonly deadline: number;
}

/** A client of one member of the cluster. */
export interface EtcdClient {
  readonly kv: {
    range(request: EtcdRange, options: CallOptions): Promise<EtcdRows>;
    txn(request: EtcdTxn, options: CallOptions): Promise<EtcdTxnResult>;
  };
  readonly leaseClient: {
    /** `TTL` in seconds. */
    leaseGrant(request: { readonly TTL: number }, options: CallOptions): Promise<{ readonly ID: string }>;
  };
  close(): void;
}

/** Handed to `etcd3` as it is; see its documentation. */
export interface EtcdConnectionOptions {
  readonly credentials?: {
    readonly rootCertificate: Buffer;
    readonly privateKey?: Buffer;
    readonly certChain?: Buffer;
  };
  readonly auth?: { readonly username: string; readonly password: string };
  readonly grpcOptions?: Readonly<Record<string, string | number>>;
}

export type EtcdConnect = (host: string) => EtcdClient;

/** A page of rows is far smaller; this is for the rows that turn out larger than the ones before. */
const RECEIVED_BYTES_MAX = 64 * 1024 * 1024;

/** What is used of the package. */
export interface Etcd3Module {
  readonly Etcd3: new (options: never) => EtcdClient;
}

/**
 * Loads `etcd3`. Its own retries are switched off: a transaction whose answer got lost must not be sent again blindly.
 * Throws `MISSING_DEPENDENCY`. `load` is for tests.
 */
export async function loadEtcd3(
  options: EtcdConnectionOptions = {},
  load: () => Promise<unknown> = () => import("etcd3"),
): Promise<EtcdConnect> {
  let Etcd3: new (options: object) => EtcdClient;
  try {
    ({ Etcd3 } = (await load()) as { Etcd3: new (options: object) => EtcdClient });
  } catch (error) {
    throw new StillwaterError(
      "MISSING_DEPENDENCY",
      'the etcd backend runs on the package "etcd3", which cannot be loaded. Install it: npm install etcd3@1',
      { cause: error },
    );
  }
  const policy = onceOnly();
  return (host) =>
    new Etcd3({
      ...options,
      hosts: host,
      grpcOptions: { "grpc.max_receive_message_length": RECEIVED_BYTES_MAX, ...options.grpcOptions },
      faultHandling: { host: () => policy, global: policy },
    });
}

/** A policy of `cockatiel`, which `etcd3` takes, that runs a call once and adds nothing. */
function onceOnly(): object {
  const { signal } = new AbortController();
  const silent = (): { dispose(): void } => ({ dispose: () => {} });
  return {
    execute: async <T>(call: (context: { signal: AbortSignal }) => PromiseLike<T> | T): Promise<T> =>
      call({ signal }),
    onSuccess: silent,
    onFailure: silent,
  };
}
