/**
 * `stillwater/otel`: what stores tell of themselves, as spans and metrics of OpenTelemetry. A listener like any other: it hears the
 * tracing channels and asks for `metrics()` when a reader collects. Names follow the semantic conventions for databases where there
 * are some (`db.*`), and begin with `stillwater.` otherwise. Does not own providers, exporters or sampling: those are the program's.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import {
  type Context,
  context,
  type MeterProvider,
  metrics,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { STORE_TRACES } from "../engine/store-events.js";
import type { MetricsSnapshot } from "../metrics/snapshot.js";
import { StillwaterError } from "../platform/errors.js";
import { TRANSACTION_TRACE } from "../transaction/transaction-metrics.js";
import { observeMetrics } from "./instruments.js";
import { endAttributes, errorType, type Message, startAttributes, startName } from "./span-words.js";

/** A store, a database or records. */
export interface MetricsSource {
  metrics(): MetricsSnapshot;
}

export interface InstrumentOptions {
  /** Whose metrics are collected, each under the attribute `stillwater.source`. Default: none, spans only. */
  readonly sources?: Readonly<Record<string, MetricsSource>>;
  /** Default: the globally registered ones. */
  readonly tracerProvider?: TracerProvider;
  readonly meterProvider?: MeterProvider;
}

export interface Instrumentation {
  /** Spans that are open are ended when their work is; no further ones begin, and nothing is collected any more. Idempotent. */
  disable(): void;
}

const SCOPE = "stillwater";
const OPTIONS = ["sources", "tracerProvider", "meterProvider"];

/** Of the work of ours that is going on here: an OpenTelemetry context with its span. */
const current = new AsyncLocalStorage<Context>();

/** The context with the innermost span of a transaction or commit that runs here, as the parent of spans of one's own. */
export function activeContext(): Context {
  return current.getStore() ?? context.active();
}

/** Begins to listen to every store of this process. Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`. */
export function instrument(options: InstrumentOptions = {}): Instrumentation {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) {
      throw new StillwaterError(
        "UNKNOWN_OPTION",
        `instrument has no option "${name}". It knows: ${OPTIONS.join(", ")}.`,
      );
    }
  }
  const sources = Object.entries(options.sources ?? {});
  for (const [name, source] of sources) {
    if (typeof source?.metrics !== "function") {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        `the source "${name}" must be a store, a database or records: something with metrics().`,
      );
    }
  }
  const tracer = (options.tracerProvider ?? trace).getTracer(SCOPE);
  const meter = (options.meterProvider ?? metrics).getMeter(SCOPE);
  const durations = meter.createHistogram("db.client.operation.duration", {
    unit: "s",
    description: "Duration of transactions and commits.",
  });
  const stopCollecting = observeMetrics(meter, new Map(sources));
  const stops = [TRANSACTION_TRACE, ...Object.values(STORE_TRACES)].map((name) => {
    const short = name.slice(name.indexOf(":") + 1);
    const isOperation = name === TRANSACTION_TRACE || name === STORE_TRACES.commit;
    return followed(
      name,
      (message, parent) =>
        tracer.startSpan(
          startName(short, message),
          { kind: SpanKind.INTERNAL, attributes: startAttributes(short, message) },
          parent,
        ),
      (message, seconds) => {
        if (isOperation) durations.record(seconds, durationAttributes(short, message));
      },
    );
  });
  let isDisabled = false;
  return {
    disable() {
      if (isDisabled) return;
      isDisabled = true;
      stopCollecting();
      for (const stop of stops) stop();
    },
  };
}

function durationAttributes(short: string, message: Message): Record<string, string> {
  const { "db.system.name": system, "db.operation.name": operation } = startAttributes(short, message);
  return {
    "db.system.name": String(system),
    "db.operation.name": String(operation),
    ...(message.error === undefined ? {} : { "error.type": errorType(message.error) }),
  };
}

/** Makes a span of every work that is traced on a channel. Returns what ends that. */
function followed(
  name: string,
  begin: (message: Message, parent: Context) => Span,
  ended: (message: Message, seconds: number) => void,
): () => void {
  const channel: TracingChannel<unknown, Message> = tracingChannel(name);
  const open = new WeakMap<Message, { readonly span: Span; readonly sinceMs: number }>();
  const finish = (message: Message): void => {
    const found = open.get(message);
    if (found === undefined) return;
    open.delete(message);
    const { span, sinceMs } = found;
    if (message.error !== undefined) {
      span.recordException(message.error as Error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(message.error) });
      span.setAttribute("error.type", errorType(message.error));
    } else span.setAttributes(endAttributes(message));
    span.end();
    ended(message, (performance.now() - sinceMs) / 1000);
  };
  const listener = {
    start() {},
    // What threw at once has no asynchronous end.
    end: (message: Message) => {
      if (message.error !== undefined) finish(message);
    },
    asyncStart() {},
    asyncEnd: finish,
    error() {},
  };
  channel.start.bindStore(current, (message) => {
    const parent = activeContext();
    const span = begin(message, parent);
    open.set(message, { span, sinceMs: performance.now() });
    return trace.setSpan(parent, span);
  });
  channel.subscribe(listener);
  return () => {
    // Those that are under way still want their end.
    channel.start.unbindStore(current);
    channel.start.unsubscribe(listener.start);
  };
}
