/**
 * O43. Verifies: the store's metrics agree with what it did in this life, as far as others know it: commits with the versions that
 * reads have reached, their operations with what was acknowledged, background work with the manifest's edits, gauges with the shape;
 * histograms have as many observations as there are counted; and no counter ever goes down.
 * Does not verify: times, bytes, reads, what is counted above the store.
 */
import { OracleFailure, type OracleLedger } from "./failure.js";

/** The parts of the store that it is compared with. */
export interface ObservedStore {
  readonly version: number;
  metrics(): {
    readonly counters: Readonly<Record<string, number>>;
    readonly gauges: Readonly<Record<string, number>>;
    readonly histograms: Readonly<Record<string, { readonly count: number; readonly sum: number }>>;
  };
  inspect(): {
    readonly editNumber: number;
    readonly manifestNumber: number;
    readonly levels: readonly (readonly unknown[])[];
  };
}

export interface Operations {
  puts: number;
  deletes: number;
  rangeDeletes: number;
}

export class MetricsWatch {
  readonly #ledger: OracleLedger;
  #version = 0;
  #editNumber = 0;
  #manifestNumber = 0;
  #jobs = 0;
  #former: Readonly<Record<string, number>> = {};
  /** Of this life's acknowledged plain commits. */
  #commits = 0;
  #operations: Operations = { puts: 0, deletes: 0, rangeDeletes: 0 };

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  /** The store was opened; background work may have begun, no commit has. */
  opened(store: ObservedStore): void {
    this.#version = store.version;
    const { editNumber, manifestNumber } = store.inspect();
    this.#editNumber = editNumber;
    this.#manifestNumber = manifestNumber;
    this.#former = store.metrics().counters;
    this.#jobs = jobsOf(this.#former);
    this.#commits = 0;
    this.#operations = { puts: 0, deletes: 0, rangeDeletes: 0 };
  }

  /** A commit that is one batch, with these operations in it. */
  acknowledged({ puts, deletes, rangeDeletes }: Operations): void {
    this.#commits++;
    this.#operations.puts += puts;
    this.#operations.deletes += deletes;
    this.#operations.rangeDeletes += rangeDeletes;
  }

  check(store: ObservedStore): void {
    this.#ledger.count("O43");
    const { counters, gauges, histograms } = store.metrics();
    const { editNumber, manifestNumber, levels } = store.inspect();
    const counted = (name: string): number => counters[name] ?? Number.NaN;
    const commits = counted("commits_total");
    // Versions are given out one by one, and this is how far reads have come.
    same("commits_total", commits, store.version - this.#version);
    same("the count of commit_latency_ms", histograms["commit_latency_ms"]?.count, commits);
    same(
      "the count of commit_group_size",
      histograms["commit_group_size"]?.count,
      counted("commit_groups_total"),
    );
    const jobs = jobsOf(counters) - this.#jobs;
    const edits = editNumber - this.#editNumber;
    // Each is one edit; where a new manifest was begun, its snapshot has some of them without a number.
    if (manifestNumber === this.#manifestNumber)
      same("the number of flushes, compactions and moves", jobs, edits);
    else if (!(jobs >= edits))
      throw new OracleFailure(
        "O43",
        `${jobs} flushes, compactions and moves have made ${edits} edits of the manifest`,
      );
    same("the count of flush_ms", histograms["flush_ms"]?.count, counted("flushes_total"));
    same("the count of compaction_ms", histograms["compaction_ms"]?.count, counted("compactions_total"));
    levels.forEach((tables, level) => {
      same(`level_tables of level ${level}`, gauges[`level_tables{level="${level}"}`], tables.length);
    });
    this.#checkOperations(counted);
    for (const [name, value] of Object.entries(this.#former)) {
      if (counted(name) < value)
        throw new OracleFailure("O43", `${name} has gone down from ${value} to ${counted(name)}`);
    }
    this.#former = counters;
  }

  /** Exactly where all commits are known by now, and else nothing is missing. */
  #checkOperations(counted: (name: string) => number): void {
    const isAll = this.#commits === counted("commits_total");
    const { puts, deletes, rangeDeletes } = this.#operations;
    for (const [name, known] of [
      ["puts_total", puts],
      ["deletes_total", deletes],
      ["range_deletes_total", rangeDeletes],
    ] as const) {
      if (isAll) same(name, counted(name), known);
      else if (!(counted(name) >= known))
        throw new OracleFailure("O43", `${name} is ${counted(name)}, but ${known} were acknowledged`);
    }
  }
}

/** Flushes, compactions and moves. */
function jobsOf(counters: Readonly<Record<string, number>>): number {
  const of = (name: string): number => counters[name] ?? Number.NaN;
  return of("flushes_total") + of("compactions_total") + of("trivial_moves_total");
}

function same(what: string, told: number | undefined, known: number): void {
  if (told !== known) throw new OracleFailure("O43", `${what} is ${told}, but it should be ${known}`);
}
