/** An onlooker that passes on what it is told, and listens only while somebody listens to it. */
import type { EventSink } from "../platform/event-sink.js";
import type { AfterHookFailure, TransactionObserver, TransactionReport } from "./transaction-observer.js";

/** Names of the channels, as the README has them. */
export const TRANSACTION_CHANNEL = "stillwater:transaction";
export const AFTER_HOOK_FAILED_CHANNEL = "stillwater:after-hook-failed";

export class SinkObserver implements TransactionObserver {
  readonly #ended: EventSink;
  readonly #hookFailed: EventSink;

  constructor(ended: EventSink, hookFailed: EventSink) {
    this.#ended = ended;
    this.#hookFailed = hookFailed;
  }

  get isListening(): boolean {
    return this.#ended.isHeard || this.#hookFailed.isHeard;
  }

  transactionEnded(report: TransactionReport): void {
    this.#ended.publish(report);
  }

  afterHookFailed(event: AfterHookFailure): void {
    this.#hookFailed.publish(event);
  }
}
