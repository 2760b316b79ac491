/** `getHealth`, `getStatus`, `listTables`: how the store is, what it is made of. */
import type { TableMeta } from "../../engine/manifest/table-meta.js";
import { ReadOnlyStore } from "../../engine/readonly/read-only-store.js";
import type { StoreStats } from "../../engine/store-types.js";
import { keyEncoding, textOf, usedEncoding } from "../byte-text.js";
import { type AdminContext, type ReadableStore, readableOf } from "../context.js";
import { operation } from "../operation.js";
import { flag, integer, list, nullable, number, object, oneOf, optional, text } from "../schema.js";
import { withView } from "../views.js";
import { version } from "./rows.js";

const natural = integer({ minimum: 0 });

export const getHealth = operation({
  name: "getHealth",
  summary: "Whether the store takes reads and writes.",
  effect: "read",
  input: object({}),
  output: object({
    status: oneOf(["ok", "failing", "stopped"], {
      description:
        "`failing`: background work fails and is tried again; `stopped`: writes are refused until the store is opened anew.",
    }),
    version,
  }),
  async run(context) {
    return { status: healthOf(context), version: await newestVersion(context) };
  },
});

const stats = object({
  version,
  levels: list(object({ tables: natural, bytes: natural, entries: natural })),
  memtableBytes: natural,
  immutableMemtables: natural,
  debtBytes: natural,
  openSnapshots: natural,
  openIterators: natural,
  cacheHits: natural,
  cacheMisses: natural,
  openTables: natural,
  tableMemoryBytes: natural,
  flushes: natural,
  compactions: natural,
  trivialMoves: natural,
  jobFailures: natural,
  bytesFlushed: natural,
  bytesCompacted: natural,
  rowsDropped: natural,
  damagedTables: list(natural),
  failure: nullable(text()),
});

export const getStatus = operation({
  name: "getStatus",
  summary: "Sizes, counters and the state of the store.",
  description:
    "Of a store that is read beside its owner only what a reader knows is told: what the owner's background work and log do is 0 or empty.",
  effect: "read",
  errors: ["NOT_SUPPORTED"],
  input: object({}),
  output: object({
    directory: text(),
    uptimeMs: number({ description: "Since the admin began." }),
    readOnly: flag(),
    version,
    stats,
    wal: object({
      segments: list(natural, { description: "Numbers of the log's files, oldest first." }),
      oldestNeeded: natural,
    }),
    manifestNumber: natural,
    heldSnapshots: natural,
    failure: nullable(text({ description: "Why writes or background work fail; null when they do not." })),
  }),
  async run(context) {
    const store = readableOf(context);
    if (store instanceof ReadOnlyStore) await store.refresh();
    const found = statsOf(store);
    return {
      directory: store.directory,
      uptimeMs: context.platform.clock.nowMs() - context.startedAtMs,
      readOnly: context.readOnly,
      version: found.version,
      stats: found,
      ...filesOf(store),
      heldSnapshots: context.snapshots.list().length,
      failure: found.failure,
    };
  },
});

/** What the owner's background work does, of which a reader sees nothing. */
const UNSEEN = {
  immutableMemtables: 0,
  debtBytes: 0,
  flushes: 0,
  compactions: 0,
  trivialMoves: 0,
  jobFailures: 0,
  bytesFlushed: 0,
  bytesCompacted: 0,
  rowsDropped: 0,
  damagedTables: [],
  failure: null,
} as const;

function statsOf(store: ReadableStore): StoreStats {
  if (!(store instanceof ReadOnlyStore)) return store.stats();
  const { logSegments: _, tornBytes: __, heldFiles: ___, refreshes: ____, ...known } = store.stats();
  return { ...UNSEEN, ...known };
}

function filesOf(store: ReadableStore) {
  if (store instanceof ReadOnlyStore) return { wal: { segments: [], oldestNeeded: 0 }, manifestNumber: 0 };
  const { walNumbers, minWalNumber, manifestNumber } = store.inspect();
  return { wal: { segments: walNumbers, oldestNeeded: minWalNumber }, manifestNumber };
}

const table = object({
  number: natural,
  bytes: natural,
  entries: natural,
  smallest: text(),
  smallestEncoding: usedEncoding,
  largest: text(),
  largestEncoding: usedEncoding,
  largestExclusive: flag({ description: "`largest` is the end of a range delete and no key of the table." }),
  damaged: flag(),
});

export const listTables = operation({
  name: "listTables",
  summary: "The tables of every level, newest level first.",
  effect: "read",
  errors: ["NOT_SUPPORTED"],
  input: object({ keyEncoding: optional(keyEncoding) }),
  output: object({ version, levels: list(object({ level: natural, tables: list(table) })) }),
  async run(context, { keyEncoding: encoding = "utf8" }) {
    const store = readableOf(context);
    if (store instanceof ReadOnlyStore) await store.refresh();
    const { levels, damagedTables } =
      store instanceof ReadOnlyStore ? { levels: store.levels, damagedTables: [] } : store.inspect();
    const damaged = new Set(damagedTables);
    const shown = (meta: TableMeta) => {
      const smallest = textOf(meta.smallest, encoding);
      const largest = textOf(meta.largest, encoding);
      return {
        number: meta.fileNumber,
        bytes: meta.bytes,
        entries: meta.entryCount,
        smallest: smallest.text,
        smallestEncoding: smallest.encoding,
        largest: largest.text,
        largestEncoding: largest.encoding,
        largestExclusive: meta.largestExclusive,
        damaged: damaged.has(meta.fileNumber),
      };
    };
    return {
      version: store.version,
      levels: levels.map((tables, level) => ({ level, tables: tables.map(shown) })),
    };
  },
});

function healthOf({ store }: AdminContext): "ok" | "failing" | "stopped" {
  if (store === null) return "ok";
  if (store.inspect().failedStop) return "stopped";
  return store.stats().failure === null ? "ok" : "failing";
}

function newestVersion(context: AdminContext): Promise<number> {
  return withView(context, undefined, async (view) => view.version);
}
