/**
 * Time of a simulated process: `Date`, `performance.now`, `process.hrtime` and timers on a clock that stands still while
 * the program computes, moves a little with each call on the disk, and jumps to the next timer when nothing else is to
 * be done. So runs repeat, and nobody waits. Not simulated: what the outside world does meanwhile. Real I/O still in
 * flight (a socket, a module being loaded) does not hold timers back: a timeout on it may come too early.
 */
import { performance } from "node:perf_hooks";
import timers from "node:timers";
import timersPromises from "node:timers/promises";

/** 2026-01-01T00:00:00Z. */
const ORIGIN_MS = 1_767_225_600_000;
const CALL_MS = 0.01;
/** Turns of the event loop without work on the disk after which the clock may jump. */
const QUIET_TURNS = 3;
const DELAY_MAX_MS = 2 ** 31 - 1;

const RealDate = Date;
const realImmediate = setImmediate;

export class VirtualTime {
  #nowMs = 0;
  readonly #waiting = new Set<VirtualTimer>();
  readonly #busy: () => boolean;
  #order = 0;
  #pumping = false;
  #quietTurns = 0;

  /** `busy`: whether calls on the disk are in flight, which go before timers. */
  constructor(busy: () => boolean) {
    this.#busy = busy;
  }

  wallMs(): number {
    return ORIGIN_MS + this.#nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** A call on the disk took place. */
  tick(): void {
    this.#nowMs += CALL_MS;
  }

  /** Replaces the clocks and timers of this process. */
  install(): void {
    globalThis.Date = this.#dateClass();
    performance.now = () => this.#nowMs;
    const hrtime = (since?: [number, number]): [number, number] => {
      const nanoseconds =
        Math.round(this.#nowMs * 1e6) - (since === undefined ? 0 : since[0] * 1e9 + since[1]);
      return [Math.floor(nanoseconds / 1e9), nanoseconds % 1e9];
    };
    process.hrtime = Object.assign(hrtime, { bigint: () => BigInt(Math.round(this.#nowMs * 1e6)) });
    const start =
      (repeats: boolean) =>
      (task: (...given: unknown[]) => void, delayMs?: number, ...given: unknown[]) =>
        this.start(() => task(...given), delayMs, repeats);
    const stop = (timer: unknown) => this.stop(timer);
    const replaced = {
      setTimeout: start(false),
      setInterval: start(true),
      clearTimeout: stop,
      clearInterval: stop,
    };
    Object.assign(globalThis, replaced);
    Object.assign(timers, replaced);
    const sleep = (delayMs?: number, value?: unknown) =>
      new Promise((resolve) => {
        this.start(() => resolve(value), delayMs, false);
      });
    Object.assign(timersPromises, { setTimeout: sleep });
  }

  start(task: () => void, delayMs: number | undefined, repeats: boolean): VirtualTimer {
    const delay = Number(delayMs);
    const wanted = delay >= 1 && delay <= DELAY_MAX_MS ? Math.trunc(delay) : 1;
    const timer = new VirtualTimer(this, task, wanted, repeats);
    this.arm(timer);
    return timer;
  }

  arm(timer: VirtualTimer): void {
    timer.atMs = this.#nowMs + timer.delayMs;
    timer.order = this.#order++;
    this.#waiting.add(timer);
    this.#pump();
  }

  stop(timer: unknown): void {
    if (timer instanceof VirtualTimer) this.#waiting.delete(timer);
  }

  waits(timer: VirtualTimer): boolean {
    return this.#waiting.has(timer);
  }

  #pump(): void {
    if (this.#pumping || this.#waiting.size === 0) return;
    this.#pumping = true;
    const immediate = realImmediate(this.#turn);
    // Timers that nobody waits for do not keep the process alive.
    if (![...this.#waiting].some((timer) => timer.hasRef())) immediate.unref();
  }

  readonly #turn = (): void => {
    this.#pumping = false;
    this.#quietTurns = this.#busy() ? 0 : this.#quietTurns + 1;
    const first = this.#quietTurns >= QUIET_TURNS ? this.#earliest() : null;
    if (first !== null) {
      this.#quietTurns = 0;
      this.#nowMs = Math.max(this.#nowMs, first.atMs);
      this.#waiting.delete(first);
      if (first.repeats) this.arm(first);
      this.#pump();
      first.task();
    }
    this.#pump();
  };

  #earliest(): VirtualTimer | null {
    let earliest: VirtualTimer | null = null;
    for (const timer of this.#waiting) {
      const sooner =
        earliest === null ||
        timer.atMs < earliest.atMs ||
        (timer.atMs === earliest.atMs && timer.order < earliest.order);
      if (sooner) earliest = timer;
    }
    return earliest;
  }

  #dateClass(): DateConstructor {
    const now = () => Math.floor(this.wallMs());
    const handler: ProxyHandler<DateConstructor> = {
      apply: () => new RealDate(now()).toString(),
      construct: (target, given, newTarget) =>
        Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as object,
      get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
    };
    return new Proxy(RealDate, handler);
  }
}

/** What `setTimeout` and `setInterval` return. */
export class VirtualTimer {
  readonly task: () => void;
  readonly delayMs: number;
  readonly repeats: boolean;
  atMs = 0;
  order = 0;
  readonly #time: VirtualTime;
  #holds = true;

  constructor(time: VirtualTime, task: () => void, delayMs: number, repeats: boolean) {
    this.#time = time;
    this.task = task;
    this.delayMs = delayMs;
    this.repeats = repeats;
  }

  ref(): this {
    this.#holds = true;
    return this;
  }

  unref(): this {
    this.#holds = false;
    return this;
  }

  hasRef(): boolean {
    return this.#holds;
  }

  refresh(): this {
    if (this.#time.waits(this)) this.#time.arm(this);
    return this;
  }

  close(): this {
    this.#time.stop(this);
    return this;
  }

  [Symbol.dispose](): void {
    this.#time.stop(this);
  }
}
