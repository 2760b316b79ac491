/** A database of transactions on an etcd cluster: FoundationDB's model above, one etcd transaction a commit below. */
import { refuseUnknownOptions } from "../../engine/options.js";
import { StillwaterError } from "../../platform/errors.js";
import type { Platform } from "../../platform/platform.js";
import { type DatabaseSettings, resolveSettings, StorageDatabase } from "../../transaction/database.js";
import { TRANSACTION_TRACE } from "../../transaction/transaction-metrics.js";
import { type EtcdConnect, type EtcdConnectionOptions, loadEtcd3 } from "./client.js";
import { EtcdCluster } from "./cluster.js";
import { Layout } from "./layout.js";
import { EtcdStorage } from "./storage.js";

export interface EtcdDatabaseOptions extends DatabaseSettings {
  /** Addresses of the members, like `http://127.0.0.1:2379`. One is asked until it fails, then the next. */
  readonly hosts: readonly string[];
  /** What all keys in etcd begin with. One database is one prefix. Default `stillwater/`. */
  readonly prefix?: string;
  /** The cluster's `--max-txn-ops`. Default etcd's own, 128; set both to 20,000 or so. */
  readonly maxOperations?: number;
  /** The cluster's `--max-request-bytes`. Default etcd's own, 1.5 MiB. */
  readonly maxRequestBytes?: number;
  /** How long one member has for one request. Default 2,000. */
  readonly attemptTimeoutMs?: number;
  /** How long a request may go without an answer from any of them; then `UNAVAILABLE`. Default 10,000. */
  readonly unavailableAfterMs?: number;
  /** How often watches ask whether anything has changed. Default 100. */
  readonly watchIntervalMs?: number;
  /** Handed to `etcd3`: certificates, name and password, options of gRPC. */
  readonly connection?: EtcdConnectionOptions;
}

const OPTIONS = [
  "hosts",
  "prefix",
  "maxOperations",
  "maxRequestBytes",
  "attemptTimeoutMs",
  "unavailableAfterMs",
  "watchIntervalMs",
  "connection",
  "transactions",
  "idempotencyWindowMs",
] as const satisfies readonly (keyof EtcdDatabaseOptions)[];

/** The options that are numbers, their defaults, and the least that makes sense. */
const NUMBERS = {
  maxOperations: [128, 16],
  maxRequestBytes: [1_572_864, 16_384],
  attemptTimeoutMs: [2_000, 1],
  unavailableAfterMs: [10_000, 1],
  watchIntervalMs: [100, 1],
} as const satisfies Partial<Record<keyof EtcdDatabaseOptions, readonly [value: number, least: number]>>;

/**
 * Connects to the cluster and asks it once. Throws `MISSING_DEPENDENCY` without the package `etcd3`, `UNKNOWN_OPTION`,
 * `INVALID_ARGUMENT`, `UNAVAILABLE`. `connect` is for tests.
 */
export async function openEtcdDatabase(
  options: EtcdDatabaseOptions,
  platform: Pick<Platform, "clock" | "scheduler" | "random" | "events">,
  connect?: EtcdConnect,
): Promise<StorageDatabase> {
  refuseUnknownOptions(options, OPTIONS, "openDatabase of the etcd backend");
  const { transactions, idempotencyWindowMs } = options;
  const settings: DatabaseSettings = {
    ...(transactions === undefined ? {} : { transactions }),
    ...(idempotencyWindowMs === undefined ? {} : { idempotencyWindowMs }),
  };
  resolveSettings(settings);
  const { clock, scheduler, random } = platform;
  const numbers = resolveNumbers(options);
  const { hosts, prefix = "stillwater/" } = options;
  if (!Array.isArray(hosts) || hosts.length === 0 || hosts.some((host) => typeof host !== "string")) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      "hosts must name the members of the cluster, at least one.",
    );
  }
  if (typeof prefix !== "string" || prefix === "") {
    throw new StillwaterError("INVALID_ARGUMENT", "prefix must be a text that is not empty.");
  }
  const cluster = new EtcdCluster(hosts, connect ?? (await loadEtcd3(options.connection)), numbers, {
    clock,
    scheduler,
  });
  const layout = new Layout(Buffer.from(prefix));
  const { watchIntervalMs } = numbers;
  const storage = new EtcdStorage({
    cluster,
    layout,
    limits: numbers,
    watchIntervalMs,
    clock,
    scheduler,
    random,
  });
  try {
    await storage.openView(null);
  } catch (error) {
    cluster.close();
    throw error;
  }
  return new StorageDatabase({
    storage,
    clock,
    scheduler,
    random,
    settings,
    trace: platform.events.tracing(TRANSACTION_TRACE),
    close: () => storage.close(),
  });
}

function resolveNumbers(options: EtcdDatabaseOptions): Record<keyof typeof NUMBERS, number> {
  const resolved = {} as Record<keyof typeof NUMBERS, number>;
  for (const [name, [standard, least]] of Object.entries(NUMBERS)) {
    const value = options[name as keyof typeof NUMBERS] ?? standard;
    if (!Number.isFinite(value) || value < least) {
      throw new StillwaterError("INVALID_ARGUMENT", `${name} must be a number of at least ${least}.`);
    }
    resolved[name as keyof typeof NUMBERS] = value;
  }
  return resolved;
}
