/**
 * Requests to a cluster: to one member as long as it answers, then to the next. Reads are asked again until one answers or
 * none has for too long; a transaction is sent once, and who sent it is told what is known of its fate.
 */
import { StillwaterError } from "../../platform/errors.js";
import type { Clock, Scheduler } from "../../platform/platform.js";
import type {
  EtcdClient,
  EtcdConnect,
  EtcdOperation,
  EtcdRange,
  EtcdRows,
  EtcdTxn,
  EtcdTxnResult,
} from "./client.js";
import { classify, type Failure, unavailable } from "./failure.js";

export interface ClusterLimits {
  /** How long one member has to answer one request. */
  readonly attemptTimeoutMs: number;
  /** How long all of them together may leave a request without an answer. */
  readonly unavailableAfterMs: number;
}

/** The answer of a transaction, or why there is none. */
export type Sent = { readonly result: EtcdTxnResult } | { readonly failure: Failure };

const FIRST_PAUSE_MS = 5;
const PAUSE_MS_MAX = 200;

export class EtcdCluster {
  readonly #members: readonly EtcdClient[];
  readonly #limits: ClusterLimits;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  #current = 0;
  #isClosed = false;

  constructor(
    hosts: readonly string[],
    connect: EtcdConnect,
    limits: ClusterLimits,
    parts: { clock: Clock; scheduler: Scheduler },
  ) {
    this.#members = hosts.map(connect);
    this.#limits = limits;
    this.#clock = parts.clock;
    this.#scheduler = parts.scheduler;
  }

  /** Throws `UNAVAILABLE`, `TRANSACTION_TOO_OLD`. */
  async range(request: EtcdRange): Promise<EtcdRows> {
    const patience = this.patience();
    for (let asked = request; ; ) {
      const failure = await this.#ask((client, options) => client.kv.range(asked, options));
      if ("result" in failure) return failure.result;
      // Another member may have it; the leader does.
      if (failure.failure.kind === "behind") asked = { ...request, serializable: false };
      await patience.afterFailure(failure.failure);
    }
  }

  /** Several reads at one moment. */
  async ranges(requests: readonly EtcdRange[]): Promise<readonly EtcdRows[]> {
    const success: EtcdOperation[] = requests.map((request) => ({ request_range: request }));
    return (await this.check({ compare: [], success, failure: [] })).responses.map(
      ({ response_range }) => response_range,
    );
  }

  /** A transaction that only reads, so that it may be sent again. */
  async check(request: EtcdTxn): Promise<EtcdTxnResult> {
    const patience = this.patience();
    for (;;) {
      const sent = await this.send(request);
      if ("result" in sent) return sent.result;
      await patience.afterFailure(sent.failure);
    }
  }

  /** Sends a transaction once. Rejects only after `close`. */
  send(request: EtcdTxn): Promise<Sent> {
    return this.#ask((client, options) => client.kv.txn(request, options));
  }

  /** A lease for so many seconds. Throws `UNAVAILABLE`. */
  async grantLease(seconds: number): Promise<string> {
    const patience = this.patience();
    for (;;) {
      const answer = await this.#ask((client, options) =>
        client.leaseClient.leaseGrant({ TTL: seconds }, options),
      );
      if ("result" in answer) return answer.result.ID;
      // One whose grant was not heard of ends by itself.
      await patience.afterFailure(answer.failure);
    }
  }

  patience(): Patience {
    return new Patience(this.#limits.unavailableAfterMs, this.#clock, this.#scheduler);
  }

  close(): void {
    this.#isClosed = true;
    for (const member of this.#members) member.close();
  }

  async #ask<T>(
    call: (client: EtcdClient, options: { deadline: number }) => Promise<T>,
  ): Promise<{ readonly result: T } | { readonly failure: Failure }> {
    if (this.#isClosed) throw new StillwaterError("CLOSED", "the database is closed.");
    const asked = this.#current;
    const client = this.#members[asked] as EtcdClient; // #current is an index of #members
    try {
      return {
        result: await call(client, { deadline: this.#clock.wallMs() + this.#limits.attemptTimeoutMs }),
      };
    } catch (error) {
      const failure = classify(error);
      if (failure.kind !== "refused" && this.#current === asked) {
        this.#current = (asked + 1) % this.#members.length;
      }
      return { failure };
    }
  }
}

/** How long a request has gone without an answer, with growing pauses between the tries. */
export class Patience {
  readonly #limitMs: number;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #sinceMs: number;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(limitMs: number, clock: Clock, scheduler: Scheduler) {
    this.#limitMs = limitMs;
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#sinceMs = clock.nowMs();
  }

  /** Returns when it is time to ask again. Throws the error of a refusal, or `UNAVAILABLE` when it has been too long. */
  async afterFailure(failure: Failure): Promise<void> {
    if (failure.kind === "refused") throw failure.error;
    if (this.#clock.nowMs() - this.#sinceMs >= this.#limitMs) throw unavailable(this.#limitMs, failure.cause);
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX);
    await new Promise<void>((resolve) => {
      this.#scheduler.after(pauseMs, resolve, true);
    });
  }
}
