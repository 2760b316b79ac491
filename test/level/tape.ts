/**
 * As much of tape as the public suite of abstract-level uses: tests that are collected, run one after the other, and judged. Reports
 * every failed assertion with the name of its test and what was expected; counts tests and assertions.
 * A test is over when its promise resolves, when it calls `end`, or when it has made the assertions it planned; an assertion
 * after that, one too few, a second `end` and no end at all are failures.
 */
import { setTimeout } from "node:timers";
import { inspect, isDeepStrictEqual } from "node:util";

export interface TapeReport {
  readonly tests: number;
  readonly assertions: number;
  readonly failures: readonly string[];
}

type Body = (t: TapeTest) => unknown;

interface Collected {
  readonly name: string;
  readonly body: Body;
}

const TEST_TIMEOUT_MS = 20_000;

/** Collects tests by the function that it gives, then runs them. */
export class Tape {
  readonly #tests: Collected[] = [];
  readonly failures: string[] = [];
  assertions = 0;

  readonly test = (name: string, body: Body): void => {
    if (typeof name !== "string" || typeof body !== "function") throw new TypeError("test(name, body)");
    this.#tests.push({ name, body });
  };

  async run(): Promise<TapeReport> {
    let tests = 0;
    for (const { name, body } of this.#tests) {
      tests++;
      await new TapeTest(this, name).run(body);
    }
    const { assertions, failures } = this;
    return { tests, assertions, failures };
  }
}

export class TapeTest {
  readonly #tape: Tape;
  readonly #name: string;
  #planned: number | null = null;
  #made = 0;
  #isOver = false;
  #finish: () => void = () => undefined;

  constructor(tape: Tape, name: string) {
    this.#tape = tape;
    this.#name = name;
  }

  async run(body: Body): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      this.#finish = resolve;
      timer = setTimeout(() => {
        this.#failed(`does not end within ${TEST_TIMEOUT_MS} ms`);
        resolve();
      }, TEST_TIMEOUT_MS);
    });
    try {
      const result = body(this);
      if (result instanceof Promise) {
        await result;
        if (!this.#isOver) this.end();
      }
    } catch (error) {
      this.#failed(`throws ${inspect(error)}`);
      this.#finish();
    }
    await over;
    clearTimeout(timer);
    this.#isOver = true;
    if (this.#planned !== null && this.#planned !== this.#made)
      this.#failed(`plans ${this.#planned} assertions and makes ${this.#made}`);
  }

  plan(count: number): void {
    this.#planned = count;
    if (count === 0) this.end();
  }

  end(error?: unknown): void {
    if (error !== undefined && error !== null) this.#failed(`ends with ${inspect(error)}`);
    if (this.#isOver) this.#failed("ends twice");
    this.#isOver = true;
    this.#finish();
  }

  ok(value: unknown, message = "is truthy"): void {
    this.#assert(Boolean(value), message, `${inspect(value)} is not truthy`);
  }

  is(actual: unknown, expected: unknown, message = "is"): void {
    this.#assert(
      Object.is(actual, expected),
      message,
      `expected ${inspect(expected)}, but is ${inspect(actual)}`,
    );
  }

  isNot(actual: unknown, other: unknown, message = "is not"): void {
    this.#assert(!Object.is(actual, other), message, `expected anything but ${inspect(other)}`);
  }

  same(actual: unknown, expected: unknown, message = "is the same"): void {
    const detail = `expected ${inspect(expected)}, but is ${inspect(actual)}`;
    this.#assert(isDeepStrictEqual(actual, expected), message, detail);
  }

  pass(message = "passes"): void {
    this.#assert(true, message, "");
  }

  fail(message = "fails"): void {
    this.#assert(false, String(message), "fails");
  }

  throws(call: () => unknown, expected: (error: unknown) => boolean, message = "throws"): void {
    const nothing = Symbol();
    let thrown: unknown = nothing;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    this.#assert(
      thrown !== nothing && expected(thrown),
      message,
      `throws ${thrown === nothing ? "nothing" : inspect(thrown)}`,
    );
  }

  doesNotThrow(call: () => unknown, message = "does not throw"): void {
    let detail: string | null = null;
    try {
      call();
    } catch (error) {
      detail = `throws ${inspect(error)}`;
    }
    this.#assert(detail === null, message, detail ?? "");
  }

  #assert(holds: boolean, message: string, detail: string): void {
    this.#made++;
    this.#tape.assertions++;
    if (!holds) this.#failed(`${message}: ${detail}`);
    else if (this.#planned !== null && this.#made > this.#planned) this.#failed(`${message}: is not planned`);
    else if (this.#isOver) this.#failed(`${message}: comes after the end`);
    if (this.#made !== this.#planned || this.#isOver) return;
    this.#isOver = true;
    this.#finish();
  }

  #failed(what: string): void {
    this.#tape.failures.push(`${this.#name}: ${what}`);
  }
}
