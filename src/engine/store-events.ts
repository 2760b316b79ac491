/**
 * What can be seen of a store from outside while it runs: events on channels, and traces of works that take time. Owns their names
 * and words; the way to `node:diagnostics_channel` is the platform's. An event that nobody listens to is not even made.
 *
 * Every event has the `directory` of its store, and no time: who listens, listens at once.
 */
import type { EventChannels, EventSink, LeakWatch, TraceSink } from "../platform/event-sink.js";
import type { RecoveryReport } from "./recovery.js";

/** Channels of events. */
export const STORE_CHANNELS = {
  open: "stillwater:open",
  recovery: "stillwater:recovery",
  close: "stillwater:close",
  flush: "stillwater:flush",
  compaction: "stillwater:compaction",
  walRotate: "stillwater:wal-rotate",
  stall: "stillwater:stall",
  jobFailure: "stillwater:job-failure",
  failure: "stillwater:failure",
  leak: "stillwater:leak",
} as const;

/** Tracing channels: Node makes of each `tracing:NAME:start`, `:end`, `:asyncStart`, `:asyncEnd` and `:error`. */
export const STORE_TRACES = {
  commit: "stillwater:commit",
  flush: "stillwater:flush",
  compaction: "stillwater:compaction",
} as const;

/** The store is open. */
export interface OpenEvent {
  readonly directory: string;
  readonly version: number;
  readonly recovery: RecoveryReport;
  readonly durationMs: number;
}

/** Opening has found a log to replay, or files of nobody. */
export interface RecoveryEvent extends RecoveryReport {
  readonly directory: string;
  readonly durationMs: number;
}

/** The store is closed. */
export interface CloseEvent {
  readonly directory: string;
  readonly version: number;
  /** Everything is in tables; otherwise the log holds the rest. */
  readonly isFlushed: boolean;
  /** What closing rejects with, if it does. */
  readonly error: Error | null;
}

/** A memtable is in tables now. */
export interface FlushEvent {
  readonly directory: string;
  /** The segment of the log that is not needed any more. */
  readonly walNumber: number;
  readonly tables: number;
  readonly bytesWritten: number;
  readonly rowsWritten: number;
  readonly durationMs: number;
}

/** Tables have been merged, or one has moved down. */
export interface CompactionEvent {
  readonly directory: string;
  readonly fromLevels: readonly number[];
  readonly outputLevel: number;
  /** Nothing was rewritten. */
  readonly isTrivialMove: boolean;
  readonly tablesRead: number;
  readonly tablesWritten: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly rowsDropped: number;
  readonly durationMs: number;
}

/** Commits go to a new segment of the log. */
export interface WalRotateEvent {
  readonly directory: string;
  readonly walNumber: number;
  readonly capacityBytes: number;
}

export type StallReason =
  /** Compaction is behind: each commit waits a little. */
  | "slowdown"
  /** Level 0 is full: commits wait for a compaction. */
  | "compaction"
  /** Memtables are full: commits wait for a flush. */
  | "flush";

/** Commits have to wait for background work, or need not any more. */
export interface StallEvent {
  readonly directory: string;
  readonly state: "begin" | "end";
  readonly reason: StallReason;
  /** Commits that wait now. */
  readonly waiting: number;
  /** Since it began. */
  readonly durationMs: number;
}

/** A flush or compaction has failed, and cost nothing but its outputs. */
export interface JobFailureEvent {
  readonly directory: string;
  readonly job: "flush" | "compaction";
  readonly error: Error;
  /** Of both kinds, since one has succeeded. */
  readonly failuresInARow: number;
  /** When it is tried again; null: not by itself. */
  readonly retryInMs: number | null;
}

/** The store has stopped accepting writes; see `FAILED_STOP`. */
export interface FailureEvent {
  readonly directory: string;
  readonly error: Error;
}

/** Somebody has forgotten to close something, and can do so no more. It has been closed now. Only with `detectLeaks`. */
export interface LeakEvent {
  readonly directory: string;
  readonly kind: "iterator" | "snapshot";
  /** The version that it kept alive. */
  readonly version: number;
  /** The stack of the call that made it. */
  readonly createdAt: string;
}

/** What listeners to traces of commits get; `result` is the commit version. */
export interface CommitTrace {
  readonly directory: string;
  /** 0 while it is not decided yet: of a transaction. */
  readonly operations: number;
  readonly bytes: number;
  readonly durability: "sync" | "buffered" | "none";
}

/** Of flushes and compactions; `result` has their bytes and rows. */
export interface JobTrace {
  readonly directory: string;
  readonly job: "flush" | "compaction";
  readonly tablesRead: number;
  readonly bytesRead: number;
  readonly outputLevel: number;
}

type Words<Event> = Omit<Event, "directory">;

/** The sinks of one store, for its parts. */
export class StoreEvents {
  readonly commit: TraceSink;
  readonly flushing: TraceSink;
  readonly compacting: TraceSink;
  readonly leaks: LeakWatch | null;
  readonly #directory: string;
  readonly #sinks: { readonly [Name in keyof typeof STORE_CHANNELS]: EventSink };

  constructor(channels: EventChannels, directory: string) {
    this.#directory = directory;
    this.leaks = channels.leaks;
    this.commit = channels.tracing(STORE_TRACES.commit);
    this.flushing = channels.tracing(STORE_TRACES.flush);
    this.compacting = channels.tracing(STORE_TRACES.compaction);
    this.#sinks = {
      open: channels.sink(STORE_CHANNELS.open),
      recovery: channels.sink(STORE_CHANNELS.recovery),
      close: channels.sink(STORE_CHANNELS.close),
      flush: channels.sink(STORE_CHANNELS.flush),
      compaction: channels.sink(STORE_CHANNELS.compaction),
      walRotate: channels.sink(STORE_CHANNELS.walRotate),
      stall: channels.sink(STORE_CHANNELS.stall),
      jobFailure: channels.sink(STORE_CHANNELS.jobFailure),
      failure: channels.sink(STORE_CHANNELS.failure),
      leak: channels.sink(STORE_CHANNELS.leak),
    };
  }

  opened(version: number, recovery: RecoveryReport, durationMs: number): void {
    const { segmentsReplayed, quarantined, purged } = recovery;
    if (segmentsReplayed > 0 || quarantined.length > 0 || purged.length > 0)
      this.#publish<RecoveryEvent>("recovery", () => ({ ...recovery, durationMs }));
    this.#publish<OpenEvent>("open", () => ({ version, recovery, durationMs }));
  }

  closed(words: () => Words<CloseEvent>): void {
    this.#publish<CloseEvent>("close", words);
  }

  flushed(words: () => Words<FlushEvent>): void {
    this.#publish<FlushEvent>("flush", words);
  }

  compacted(words: () => Words<CompactionEvent>): void {
    this.#publish<CompactionEvent>("compaction", words);
  }

  rotated(words: () => Words<WalRotateEvent>): void {
    this.#publish<WalRotateEvent>("walRotate", words);
  }

  stalled(words: () => Words<StallEvent>): void {
    this.#publish<StallEvent>("stall", words);
  }

  jobFailed(words: () => Words<JobFailureEvent>): void {
    this.#publish<JobFailureEvent>("jobFailure", words);
  }

  failed(error: Error): void {
    this.#publish<FailureEvent>("failure", () => ({ error }));
  }

  leaked(words: () => Words<LeakEvent>): void {
    this.#publish<LeakEvent>("leak", words);
  }

  #publish<Event>(name: keyof typeof STORE_CHANNELS, words: () => Words<Event>): void {
    const sink = this.#sinks[name];
    if (sink.isHeard) sink.publish({ directory: this.#directory, ...words() });
  }
}
