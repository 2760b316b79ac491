/**
 * The observable history of a list of operations on a calm machine: no crash, no fault, one call after the other, and every
 * answer as a text. What depends on how fast the machine is (a refusal because background work is behind, the number of
 * turns) is no part of it; what a caller can rely on is: values, rows, versions, and errors of misuse.
 * Does not own: comparing histories (`oracles/metamorphic.ts`).
 */
import { crc32 } from "node:zlib";
import { Batch } from "../../src/engine/batch.js";
import type { StoreIterator } from "../../src/engine/read/store-iterator.js";
import { restoreStore } from "../../src/engine/restore.js";
import type { Snapshot } from "../../src/engine/snapshots.js";
import { Store } from "../../src/engine/store.js";
import { assert } from "../../src/platform/assert.js";
import { hasCode, StillwaterError } from "../../src/platform/errors.js";
import { Choices } from "../choices/choices.js";
import { SimulationDisk } from "../disk/simulation-disk.js";
import { Trace } from "../trace/trace.js";
import { keyBytes, keyText, sharedValueBytes } from "../workload/bytes.js";
import type { OperationSource } from "../workload/generator.js";
import type { Operation } from "../workload/operation.js";
import type { SimulationOptions } from "../workload/options.js";
import { CALM_WORLD } from "../world/faults.js";
import { type Life, World } from "../world/world.js";
import { removeTree } from "./checks.js";
import { boundsOf } from "./reader.js";

const DIRECTORY = "/store";
const STEPS_MAX = 1_000_000;
const QUIET_MS_MAX = 600_000;
/** How long a commit is tried again while compaction is behind. */
const BUSY_ROUNDS_MAX = 2000;
const BUSY_PAUSE_MS = 5;

type Of<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;

export interface History {
  readonly operations: readonly Operation[];
  /** One line for each operation that was carried out. */
  readonly answers: readonly string[];
}

/** `seed` decides the schedule and the latencies of this run, `mutants` which planted bugs are on. */
export async function historyOf(
  options: SimulationOptions,
  source: OperationSource,
  seed: string,
  mutants: readonly string[],
): Promise<History> {
  const choices = Choices.fromSeed(seed);
  const trace = new Trace();
  const { schedule, buggify } = options;
  const world = new World(
    {
      schedule,
      buggify,
      faults: CALM_WORLD,
      mutants,
      stepsMax: STEPS_MAX,
      stepsInAllMax: Number.POSITIVE_INFINITY,
      quietMsMax: QUIET_MS_MAX,
    },
    choices,
    trace,
    (timers) => new SimulationDisk(options.disk, choices, trace, timers),
  );
  const end = await world.live((life) => new Observer(options, life).run(source));
  if (end.kind === "failed") throw end.error;
  assert(end.kind === "finished", `a calm run finishes, but this one is ${end.kind}`);
  return end.value;
}

/** Carries operations out, one after the other, and writes down what came of them. */
class Observer {
  readonly #options: SimulationOptions;
  readonly #life: Life;
  readonly #snapshots = new Map<number, Snapshot>();
  readonly #iterators = new Map<number, StoreIterator>();
  readonly #background: Promise<unknown>[] = [];
  #store: Store | null = null;

  constructor(options: SimulationOptions, life: Life) {
    this.#options = options;
    this.#life = life;
  }

  async run(source: OperationSource): Promise<History> {
    const operations: Operation[] = [];
    const answers: string[] = [];
    await this.#open();
    for (;;) {
      const operation = source.next(
        {
          openSnapshots: [...this.#snapshots.keys()],
          openIterators: [...this.#iterators.keys()],
          failedStop: false,
          crashArmed: true,
          spaceLimited: false,
          crashPointsSeen: [],
        },
        operations.length,
      );
      if (operation === null) break;
      answers.push(
        `${operations.length} ${operation.kind}: ${await this.#answer(operation, operations.length)}`,
      );
      operations.push(operation);
    }
    answers.push(`at the end: ${rowsText(this.#opened.scan())}`);
    await this.#close();
    return { operations, answers };
  }

  get #opened(): Store {
    assert(this.#store !== null, "the store is open");
    return this.#store;
  }

  async #open(): Promise<void> {
    this.#store = await Store.open(DIRECTORY, this.#options.store, this.#life.platform);
  }

  async #close(): Promise<void> {
    for (const iterator of this.#iterators.values()) iterator.close();
    for (const snapshot of this.#snapshots.values()) snapshot.close();
    this.#iterators.clear();
    this.#snapshots.clear();
    await Promise.all(this.#background.splice(0));
    await this.#opened.close();
  }

  /** An error of ours is an answer like any other. */
  async #answer(operation: Operation, number: number): Promise<string> {
    try {
      return await this.#carryOut(operation, number);
    } catch (error) {
      if (error instanceof StillwaterError && error.code !== "ASSERTION") return error.code;
      throw error;
    }
  }

  async #carryOut(operation: Operation, number: number): Promise<string> {
    const store = this.#opened;
    switch (operation.kind) {
      case "write":
        return String(await this.#write(operation));
      case "get": {
        const key = keyBytes(operation.key);
        const options = this.#snapshotOf(operation.snapshot);
        return valueText(
          operation.blocking === true ? store.getSync(key, options) : await store.get(key, options),
        );
      }
      case "getMany": {
        const values = await store.getMany(
          operation.keys.map(keyBytes),
          this.#snapshotOf(operation.snapshot),
        );
        return values.map(valueText).join();
      }
      case "scan":
        return rowsText(
          store.scan({
            ...boundsOf(operation),
            ...(operation.limit === undefined ? {} : { limit: operation.limit }),
            ...this.#snapshotOf(operation.snapshot),
          }),
        );
      case "openSnapshot": {
        const snapshot = store.snapshot();
        this.#snapshots.set(operation.id, snapshot);
        return String(snapshot.version);
      }
      case "closeSnapshot":
        this.#snapshots.get(operation.id)?.close();
        this.#snapshots.delete(operation.id);
        return "";
      case "openIterator": {
        const iterator = store.iterator({ ...boundsOf(operation), ...this.#snapshotOf(operation.snapshot) });
        this.#iterators.set(operation.id, iterator);
        return String(iterator.version);
      }
      case "stepIterator":
        return this.#step(operation);
      case "seekIterator":
        this.#iterators.get(operation.id)?.seek(keyBytes(operation.key));
        return "";
      case "closeIterator":
        this.#iterators.get(operation.id)?.close();
        this.#iterators.delete(operation.id);
        return "";
      case "flush":
      case "compact": {
        const work = operation.kind === "flush" ? store.flush() : store.compact();
        if (operation.waits) await work;
        else this.#background.push(work);
        return "";
      }
      case "checkpoint":
        return this.#checkpoint(operation, number);
      case "verify":
        return (await store.verify()).problems.join();
      case "checkAll":
        return `${rowsText(store.scan())} and ${rowsText(store.scan({ reverse: true }))}`;
      case "settle":
        await Promise.all(this.#background.splice(0));
        return String(store.version);
      case "pause":
        await this.#pause(operation.ms);
        return "";
      case "reopen":
        await this.#close();
        await this.#open();
        return String(this.#opened.version);
      case "openSecond":
      case "reader":
      case "backup":
      case "transact":
      case "records":
      case "limitSpace":
      case "dropCaches":
      case "crash":
        return "left out";
    }
  }

  async #write({ mutations, durability, requireAhead }: Of<"write">): Promise<number> {
    const store = this.#opened;
    const batch = new Batch();
    for (const mutation of mutations) {
      if (mutation[0] === "put") batch.put(keyBytes(mutation[1]), sharedValueBytes(mutation[2], mutation[3]));
      else if (mutation[0] === "delete") batch.delete(keyBytes(mutation[1]));
      else batch.deleteRange(keyBytes(mutation[1]), keyBytes(mutation[2]));
    }
    const options = {
      ...(durability === undefined || this.#options.store.durability === "none" ? {} : { durability }),
      ...(requireAhead === undefined ? {} : { requireVersionAtLeast: store.version + requireAhead }),
    };
    for (let round = 0; ; round++) {
      try {
        return await store.write(batch, options);
      } catch (error) {
        if (!hasCode(error, "BUSY") || round === BUSY_ROUNDS_MAX) throw error;
        await this.#pause(BUSY_PAUSE_MS);
      }
    }
  }

  #step({ id, count }: Of<"stepIterator">): string {
    const iterator = this.#iterators.get(id);
    if (iterator === undefined) return "";
    const rows: string[] = [];
    for (let left = count; left > 0; left--) {
      if (!iterator.next()) {
        rows.push("end");
        break;
      }
      rows.push(rowText(iterator.key, iterator.value));
    }
    return rows.join();
  }

  async #checkpoint({ restores }: Of<"checkpoint">, number: number): Promise<string> {
    const target = `/checkpoint-${number}`;
    const { vfs } = this.#life.platform;
    const version = await this.#opened.checkpoint(target);
    const from = restores ? `/restored-${number}` : target;
    if (restores) await restoreStore(vfs, target, from);
    const copy = await Store.open(
      from,
      { ...this.#options.store, createIfMissing: false },
      this.#life.platform,
    );
    const rows = rowsText(copy.scan());
    await copy.close();
    for (const path of new Set([target, from])) removeTree(vfs, path);
    return `${version} ${rows}`;
  }

  #snapshotOf(id: number | undefined): { readonly snapshot?: Snapshot } {
    const snapshot = id === undefined ? undefined : this.#snapshots.get(id);
    return snapshot === undefined ? {} : { snapshot };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#life.scheduler.after(ms, resolve);
    });
  }
}

function rowsText(rows: Iterable<readonly [Uint8Array, Uint8Array]>): string {
  const texts: string[] = [];
  for (const [key, value] of rows) texts.push(rowText(key, value));
  return `${texts.length} rows ${texts.join()}`;
}

function rowText(key: Uint8Array, value: Uint8Array): string {
  return `${JSON.stringify(keyText(key))}=${valueText(value)}`;
}

function valueText(value: Uint8Array | undefined): string {
  return value === undefined ? "absent" : `${value.length}:${crc32(value).toString(16)}`;
}
