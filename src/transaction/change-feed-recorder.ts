/**
 * Writes change feeds: a layer over a storage that adds to each commit, for each feed whose range it changes, an entry with
 * what it changes there. The entry is part of the commit, so a change is in the feed if and only if it is committed; its key
 * has the commit's versionstamp, so entries order as commits did.
 *
 * Which feeds there are must not change between a commit's look and its version. Where all commits go through this object (our
 * own engine), a registration has the storage to itself for a moment, and others cost nothing. Elsewhere each commit reads the
 * registry's key, and conflicts with who changes it.
 * Does not own: the format (`change-feed-format.ts`), registration and reading (`change-feeds.ts`).
 */
import { assert } from "../platform/assert.js";
import { mutant, sometimes } from "../platform/probes.js";
import {
  DEFINITIONS,
  definitionOf,
  entriesEnd,
  entriesFrom,
  incompleteEntryKey,
  MutationWriter,
  newestKey,
  REGISTRY_KEY,
} from "./change-feed-format.js";
import { keyBytes, keyText, keyTextAfter } from "./key-text.js";
import type {
  Answer,
  CommitRequest,
  CommitResult,
  StorageView,
  StorageWatch,
  TransactionStorage,
} from "./storage.js";
import { stampedBytes, VERSIONSTAMP_BYTES } from "./versionstamp.js";
import type { WriteBuffer, WrittenKey } from "./write-buffer.js";

/** A feed's range as text, as writes have their keys. */
interface Feed {
  readonly name: string;
  readonly begin: string;
  readonly end: string;
}

const DEFINITIONS_BEGIN = keyText(DEFINITIONS.begin);
const DEFINITIONS_END = keyText(DEFINITIONS.end);
const REGISTRY = keyText(REGISTRY_KEY);
const FIRST_STAMP = new Uint8Array(VERSIONSTAMP_BYTES);
const LAST_STAMP = new Uint8Array(VERSIONSTAMP_BYTES).fill(0xff);

export class ChangeFeedRecorder implements TransactionStorage {
  readonly #storage: TransactionStorage;
  /** What is registered; null until it is read. Of a shared storage, as of `#registryStamp`. */
  #feeds: readonly Feed[] | null = null;
  #registryStamp: string | null = null;
  /** Of a storage of our own: commits under way, and the registration that others wait for. */
  #underWay = 0;
  #onNoneUnderWay: (() => void) | null = null;
  #alone: Promise<void> | null = null;

  constructor(storage: TransactionStorage) {
    this.#storage = storage;
  }

  openView(version: number | null): Answer<StorageView> {
    return this.#storage.openView(version);
  }

  commit(request: CommitRequest): Promise<CommitResult> {
    if (this.#storage.isExclusive !== true) return this.#commitShared(request);
    if (this.#feeds === null || this.#alone !== null || changesFeeds(request))
      return this.#commitAlone(request);
    return this.#commitTogether(request, this.#feeds);
  }

  watch(key: Uint8Array, value: Uint8Array | undefined, version: number): StorageWatch {
    return this.#storage.watch(key, value, version);
  }

  async #commitTogether(request: CommitRequest, feeds: readonly Feed[]): Promise<CommitResult> {
    record(request, feeds);
    this.#underWay++;
    try {
      return await this.#storage.commit(request);
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) this.#onNoneUnderWay?.();
    }
  }

  /** Waits for its turn alone; a commit that changes no feeds needs it only to learn which there are. */
  async #commitAlone(request: CommitRequest): Promise<CommitResult> {
    while (this.#alone !== null) await this.#alone;
    if (this.#feeds !== null && !changesFeeds(request)) return this.#commitTogether(request, this.#feeds);
    let end = (): void => {};
    this.#alone = new Promise((resolve) => {
      end = resolve;
    });
    try {
      sometimes("feed.registration-waits-for-commits", this.#underWay > 0);
      while (this.#underWay > 0) {
        await new Promise<void>((resolve) => {
          this.#onNoneUnderWay = resolve;
        });
      }
      this.#feeds ??= await this.#readFeeds();
      if (changesFeeds(request)) {
        record(request, this.#feeds);
        // Also when it fails: whether it took effect may be unknown.
        if (!mutant("T28-registration-not-noticed")) this.#feeds = null;
        return await this.#storage.commit(request);
      }
    } finally {
      this.#onNoneUnderWay = null;
      this.#alone = null;
      end();
    }
    return this.#commitTogether(request, this.#feeds);
  }

  async #readFeeds(): Promise<readonly Feed[]> {
    const view = await this.#storage.openView(null);
    try {
      return await feedsIn(view);
    } finally {
      view.close();
    }
  }

  async #commitShared(request: CommitRequest): Promise<CommitResult> {
    if (request.view !== null) return this.#commitOver(request, request.view);
    const view = await this.#storage.openView(request.readVersion);
    try {
      return await this.#commitOver({ ...request, view, readVersion: view.version }, view);
    } finally {
      view.close();
    }
  }

  async #commitOver(request: CommitRequest, view: StorageView): Promise<CommitResult> {
    const stamp = await view.get(REGISTRY_KEY);
    const stampText = stamp === undefined ? "" : keyText(stamp);
    if (this.#feeds === null || stampText !== this.#registryStamp) {
      this.#feeds = await feedsIn(view);
      this.#registryStamp = stampText;
    }
    request.readConflicts.add(REGISTRY, keyTextAfter(REGISTRY));
    record(request, this.#feeds);
    return this.#storage.commit(request);
  }
}

function changesFeeds({ options, writes }: CommitRequest): boolean {
  if (!options.accessSystemKeys) return false;
  const next = writes.nextKey(DEFINITIONS_BEGIN);
  return (
    (next !== null && next < DEFINITIONS_END) || writes.cleared.touches(DEFINITIONS_BEGIN, DEFINITIONS_END)
  );
}

async function feedsIn(view: StorageView): Promise<readonly Feed[]> {
  const rows = view.rows(DEFINITIONS.begin, DEFINITIONS.end, false);
  const feeds: Feed[] = [];
  try {
    for (let row = await rows.next(); row !== null; row = await rows.next()) {
      const { name, begin, end } = definitionOf(row[0], row[1]);
      feeds.push({ name, begin: keyText(begin), end: keyText(end) });
    }
  } finally {
    rows.close();
  }
  return feeds;
}

/** Adds the entries of all feeds to what the commit writes. Feeds have no system keys, so none sees another's entries. */
function record({ writes, writeConflicts }: CommitRequest, feeds: readonly Feed[]): void {
  if (feeds.length === 0) return;
  const entries = feeds.map((feed) => ({ name: feed.name, chunks: chunksOf(writes, feed) }));
  for (const { name, chunks } of entries) {
    if (chunks.length === 0) continue;
    sometimes("feed.entry-of-many-chunks", chunks.length > 1);
    const begin = keyText(entriesFrom(name, FIRST_STAMP));
    const end = keyText(entriesEnd(name));
    chunks.forEach((value, index) => {
      const { key, offset } = incompleteEntryKey(name, index);
      writes.setStampedKey(key, offset, value, begin, end);
    });
    const newest = newestKey(name);
    writes.setStampedValue(newest, new Uint8Array(VERSIONSTAMP_BYTES), 0);
    writeConflicts.add(begin, end);
    writeConflicts.add(keyText(newest), keyTextAfter(keyText(newest)));
  }
}

/** In an order that leaves what the commit leaves: ranges are cleared first, keys with a stamp come last. */
function chunksOf(writes: WriteBuffer, { begin, end }: Feed): Uint8Array[] {
  const to = new MutationWriter();
  for (const [from, until] of writes.cleared) {
    const low = from > begin ? from : begin;
    const high = until < end ? until : end;
    if (low < high) to.clearRange(keyBytes(low), keyBytes(high));
  }
  for (let key = writes.nextKey(begin); key !== null && key < end; key = writes.nextKey(keyTextAfter(key))) {
    const written = writes.lookUp(key);
    assert(written !== undefined, "a written key has an entry");
    recordKey(to, keyBytes(key), written);
  }
  for (const { key, offset, value, clearedAfter } of writes.stampedKeys) {
    const first = keyText(stampedBytes(key, offset, FIRST_STAMP));
    const last = keyText(stampedBytes(key, offset, LAST_STAMP));
    if (first < end && last >= begin) to.setStampedKey(key, offset, value, clearedAfter);
  }
  return to.isEmpty ? [] : to.chunks();
}

function recordKey(to: MutationWriter, key: Uint8Array, written: WrittenKey): void {
  if (written.kind === "known") {
    if (written.value === undefined) to.clear(key);
    else to.set(key, written.value);
    return;
  }
  for (const step of written.steps) {
    if (step.operation === "setStamped") to.setStampedValue(key, step.operand, step.offset);
    else to.atomic(step.operation, key, step.operand);
  }
}
