/**
 * Events and traces on the channels of `node:diagnostics_channel`, where Node's own ecosystem of tracing and metrics listens. What a
 * listener throws becomes an uncaught exception on a later turn; that is Node's doing. Does not own what is published.
 */
import { type Channel, channel, type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import type { EventChannels, EventSink, LeakWatch, TraceCallback, TraceSink } from "../event-sink.js";

export class DiagnosticsSink implements EventSink {
  readonly #channel: Channel;

  constructor(name: string) {
    this.#channel = channel(name);
  }

  get isHeard(): boolean {
    return this.#channel.hasSubscribers;
  }

  publish(event: object): void {
    this.#channel.publish(event);
  }
}

export class DiagnosticsTrace implements TraceSink {
  readonly #channel: TracingChannel;

  constructor(name: string) {
    this.#channel = tracingChannel(name);
  }

  get isHeard(): boolean {
    return this.#channel.hasSubscribers;
  }

  trace<T>(message: object, work: () => Promise<T>): Promise<T> {
    return this.#channel.tracePromise(work, message) as Promise<T>;
  }

  traceCallback<T>(message: object, work: (done: TraceCallback<T>) => void, done: TraceCallback<T>): void {
    this.#channel.traceCallback(work, 0, message, undefined, done);
  }
}

/** By the garbage collector, which comes when it likes, or never. */
class CollectorWatch implements LeakWatch {
  readonly #registry = new FinalizationRegistry<() => void>((onLost) => onLost());

  watch(target: object, onLost: () => void): () => void {
    const token = {};
    this.#registry.register(target, onLost, token);
    return () => this.#registry.unregister(token);
  }
}

export class DiagnosticsChannels implements EventChannels {
  readonly leaks: LeakWatch = new CollectorWatch();

  sink(name: string): EventSink {
    return new DiagnosticsSink(name);
  }

  tracing(name: string): TraceSink {
    return new DiagnosticsTrace(name);
  }
}
