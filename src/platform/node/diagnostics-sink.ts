/**
 * Events on a channel of `node:diagnostics_channel`, where Node's own ecosystem of tracing and metrics listens. What a listener
 * throws becomes an uncaught exception on a later turn; that is Node's doing. Does not own what is published.
 */
import { type Channel, channel } from "node:diagnostics_channel";
import type { EventSink } from "../event-sink.js";

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
