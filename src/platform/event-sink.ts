/**
 * Where what happens is told to anybody who listens: events, and works with a beginning and an end. Owns no listeners, and keeps
 * nothing. Promise: what nobody listens to costs the question whether somebody does.
 */

export interface EventSink {
  /** Whether anybody listens now. Costs next to nothing to ask. */
  readonly isHeard: boolean;
  /** Gives `event` to all who listen, at once. Never throws for them. */
  publish(event: object): void;
}

/** As Node's `TracingChannel`: listeners are told of the start and the end of works, and may give context to what runs within. */
export interface TraceSink {
  readonly isHeard: boolean;
  /** Runs `work` at once. `message` is what listeners get, with `result` or `error` when it has ended. */
  trace<T>(message: object, work: () => Promise<T>): Promise<T>;
  /** The same for work that calls back once. */
  traceCallback<T>(message: object, work: (done: TraceCallback<T>) => void, done: TraceCallback<T>): void;
}

export type TraceCallback<T> = (error: Error | null, result: T | null) => void;

/** Notices things that were forgotten: that nobody can reach any more, and nobody has given back. */
export interface LeakWatch {
  /** Calls `onLost` some time after `target` has become unreachable, unless what it returns is called before. */
  watch(target: object, onLost: () => void): () => void;
}

/** All ways out, by the names of channels. */
export interface EventChannels {
  sink(name: string): EventSink;
  tracing(name: string): TraceSink;
  /** Null where nobody can tell. */
  readonly leaks: LeakWatch | null;
}

export const UNHEARD_SINK: EventSink = { isHeard: false, publish() {} };

export const UNHEARD_TRACE: TraceSink = {
  isHeard: false,
  trace: (_, work) => work(),
  traceCallback: (_, work, done) => work(done),
};

/** Where there is nobody who could listen. */
export const UNHEARD_CHANNELS: EventChannels = {
  sink: () => UNHEARD_SINK,
  tracing: () => UNHEARD_TRACE,
  leaks: null,
};
