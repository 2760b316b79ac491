/** Where events go that anybody may listen to. Owns no listeners, and keeps nothing. */
export interface EventSink {
  /** Whether anybody listens now. Costs next to nothing to ask. */
  readonly isHeard: boolean;
  /** Gives `event` to all who listen, at once. Never throws for them. */
  publish(event: object): void;
}
