/** The platform of production: clock, chance, timers, threads, and what they keep alive. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { serveWorker } from "../../src/platform/node/worker-port.js";
import type { WorkerHost } from "../../src/platform/platform.js";
import { type CompiledPlatform, compilePlatform, runChild } from "./compiled-platform.js";

const platform = nodePlatform();
let compiled: CompiledPlatform;

beforeAll(() => {
  compiled = compilePlatform();
});
afterAll(() => compiled.remove());

describe("nodePlatform", () => {
  it("refuses options that it does not know, and values of the wrong kind", () => {
    expect(() => nodePlatform({ threads: 2 } as object)).toThrow(
      expect.objectContaining({ code: "UNKNOWN_OPTION", message: expect.stringContaining('"threads"') }),
    );
    expect(() => nodePlatform({ workers: 2 } as object)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("takes another file system, and leaves threads out on request", () => {
    const { vfs } = platform;
    expect(nodePlatform({ vfs }).vfs).toBe(vfs);
    expect(nodePlatform({ workers: false }).workers).toBeNull();
    expect(platform.workers).not.toBeNull();
  });
});

describe("the clock", () => {
  it("never goes back, and the wall clock tells the time of day", () => {
    let last = platform.clock.nowMs();
    let stepsBack = 0;
    for (let i = 0; i < 10_000; i++) {
      const now = platform.clock.nowMs();
      if (now < last) stepsBack++;
      last = now;
    }
    expect(stepsBack).toBe(0);
    expect(platform.clock.wallMs()).toBeGreaterThan(Date.UTC(2024, 0));
    expect(Number.isInteger(platform.clock.wallMs())).toBe(true);
  });
});

describe("chance", () => {
  it("gives whole numbers in [0, 2^32) in which every bit is sometimes set and sometimes not", () => {
    let everSet = 0;
    let everClear = 0;
    for (let i = 0; i < 1000; i++) {
      const drawn = platform.random.nextUint32();
      expect(Number.isInteger(drawn) && drawn >= 0 && drawn < 2 ** 32).toBe(true);
      everSet |= drawn;
      everClear |= ~drawn;
    }
    expect([everSet, everClear]).toEqual([-1, -1]);
  });
});

describe("the scheduler", () => {
  it("runs a deferred task after every continuation that is ready, in the order of the calls", async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      platform.scheduler.defer(() => order.push("first"));
      platform.scheduler.defer(() => {
        order.push("second");
        resolve();
      });
      void Promise.resolve()
        .then(() => order.push("promise"))
        .then(() => order.push("promise of promise"));
      order.push("call");
    });
    expect(order).toEqual(["call", "promise", "promise of promise", "first", "second"]);
  });

  it("never runs a timer early, fractions of a millisecond included", async () => {
    for (const delayMs of [0, 0.4, 1.5, 3.9, 5]) {
      const start = platform.clock.nowMs();
      // An interval keeps the loop alive, which the timer itself does not.
      const alive = setInterval(() => undefined, 1000);
      await new Promise<void>((resolve) => void platform.scheduler.after(delayMs, resolve));
      clearInterval(alive);
      expect(platform.clock.nowMs() - start).toBeGreaterThanOrEqual(delayMs);
    }
  });

  it("waits for the rest when the operating system wakes it early", async () => {
    let nowMs = 1000;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    let ran = false;
    platform.scheduler.after(1, () => {
      ran = true;
    });
    // One look at the clock to set the timer; the next are wake-ups, for which no time has passed.
    await vi.waitUntil(() => clock.mock.calls.length >= 3, { timeout: 60_000 });
    expect(ran).toBe(false);
    nowMs = 1001;
    await vi.waitUntil(() => ran, { timeout: 60_000 });
    clock.mockRestore();
  });

  it("does not make a short delay of one that is too long for the operating system", async () => {
    let ran = false;
    const timers = [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY].map((delayMs) =>
      platform.scheduler.after(delayMs, () => {
        ran = true;
      }),
    );
    const alive = setInterval(() => undefined, 1000);
    await new Promise<void>((resolve) => void platform.scheduler.after(5, resolve));
    clearInterval(alive);
    for (const timer of timers) timer.cancel();
    expect(ran).toBe(false);
  });

  it("runs no task of a timer that was cancelled, however often", async () => {
    let ran = false;
    const timer = platform.scheduler.after(1, () => {
      ran = true;
    });
    timer.cancel();
    timer.cancel();
    const alive = setInterval(() => undefined, 1000);
    await new Promise<void>((resolve) => void platform.scheduler.after(5, resolve));
    clearInterval(alive);
    expect(ran).toBe(false);
  });

  it("refuses a delay that is no delay", () => {
    for (const delayMs of [-1, Number.NaN]) {
      expect(() => platform.scheduler.after(delayMs, () => undefined)).toThrow(
        expect.objectContaining({ code: "ASSERTION" }),
      );
    }
  });

  it("keeps the process alive for a deferred task, not for a timer", async () => {
    const script = compiled.module(
      "timers.js",
      `import { nodePlatform } from ${JSON.stringify(compiled.url("node/node-platform.js"))};
       const { scheduler } = nodePlatform();
       scheduler.after(20_000, () => console.log("timer"));
       scheduler.defer(() => console.log("deferred"));`,
    );
    const child = runChild(script);
    expect(await child.line()).toBe("deferred");
    expect(await child.ended).toBe(0);
    await expect(child.line(), "the timer must not be waited for").rejects.toThrow("ended without a word");
  });
});

describe("a worker", () => {
  // The default platform has threads.
  const workers = platform.workers as WorkerHost;

  it("answers each message once, promises and plain values alike, and ends when terminated", async () => {
    const url = worker("double.js", "serveWorker((n) => (n % 2 ? n * 2 : Promise.resolve(n * 2)));");
    const replies: unknown[] = [];
    const exits: (Error | null)[] = [];
    await new Promise<void>((resolve, reject) => {
      const handle = workers.spawn(url, {
        onMessage(message) {
          replies.push(message);
          if (replies.length === 3) handle.terminate().then(resolve, reject);
        },
        onExit: (error) => exits.push(error),
      });
      for (const n of [1, 2, 3]) handle.post(n);
    });
    expect(replies.map(Number).sort()).toEqual([2, 4, 6]);
    expect(exits).toEqual([null]);
  });

  it("carries bytes and structured data both ways", async () => {
    const url = worker("echo.js", "serveWorker((message) => message);");
    const message = { name: "job", bytes: Uint8Array.of(1, 2, 3), list: [1, null, "x"] };
    expect(await ask(url, message)).toEqual(message);
  });

  it.each([
    ["throws", 'serveWorker(() => { throw new Error("planted"); });', /planted/],
    ["rejects", 'serveWorker(() => Promise.reject(new Error("planted")));', /planted/],
    ["fails to load", 'throw new Error("planted");', /planted/],
    ["ends by itself", "process.exit(3);", /exit code 3/],
  ])("that %s ends, and its host learns why, once", async (name, body, reason) => {
    const exits: (Error | null)[] = [];
    await new Promise<void>((resolve) => {
      const handle = workers.spawn(worker(`fails-${name.replaceAll(" ", "-")}.js`, body), {
        onMessage: () => expect.unreachable(),
        onExit(error) {
          exits.push(error);
          resolve();
        },
      });
      handle.post("job");
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(exits).toHaveLength(1);
    expect(exits[0]?.message).toMatch(reason);
  });

  it("that does not exist is reported through onExit", async () => {
    const url = new URL("none.js", compiled.url("none/"));
    await expect(ask(url, "job")).rejects.toThrow(/none\.js/);
  });

  it("that has ended takes no more messages", async () => {
    const url = worker("idle.js", "serveWorker(() => 1);");
    const handle = workers.spawn(url, { onMessage: () => undefined, onExit: () => undefined });
    await handle.terminate();
    await handle.terminate();
    expect(() => handle.post(1)).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });

  it("is awaited by its process while it owes a reply, and lets it go when idle", async () => {
    const url = worker(
      "slow.js",
      "serveWorker((name) => new Promise((resolve) => setTimeout(resolve, 100, name)));",
    );
    const script = compiled.module(
      "awaits.js",
      `import { nodePlatform } from ${JSON.stringify(compiled.url("node/node-platform.js"))};
       let answered;
       const handle = nodePlatform().workers.spawn(new URL(${JSON.stringify(url.href)}), {
         onMessage: (message) => answered(message),
         onExit: () => console.log("the worker ended"),
       });
       for (const name of ["first", "second"]) {
         handle.post(name);
         console.log(await new Promise((resolve) => { answered = resolve; }));
       }`,
    );
    const child = runChild(script);
    expect([await child.line(), await child.line()]).toEqual(["first", "second"]);
    expect(await child.ended).toBe(0);
  });

  it("is awaited while it is being ended, though its last reply comes only now", async () => {
    const url = worker("late.js", "serveWorker((shared) => { Atomics.add(shared, 0, 1); return 1; });");
    const script = compiled.module(
      "ends.js",
      `import { nodePlatform } from ${JSON.stringify(compiled.url("node/node-platform.js"))};
       const handle = nodePlatform().workers.spawn(new URL(${JSON.stringify(url.href)}), {
         onMessage: () => undefined,
         onExit: () => undefined,
       });
       const shared = new Int32Array(new SharedArrayBuffer(4));
       handle.post(shared);
       // The reply is under way, and this turn has not taken it.
       const isServed = () => Atomics.load(shared, 0) === 1;
       while (!isServed()) Atomics.wait(shared, 0, 0, 1000);
       Atomics.wait(shared, 0, 1, 50);
       await handle.terminate();
       console.log("ended");`,
    );
    const child = runChild(script);
    expect(await child.line()).toBe("ended");
    expect(await child.ended).toBe(0);
  });

  it.each([
    ["a program in a file", []],
    ["a program on the command line", ["--input-type=module", "--eval"]],
  ])("starts whatever V8 is told on the command line, for %s", async (_, evaluation) => {
    const url = worker("echo3.js", "serveWorker((message) => message);");
    const program = `
      import { nodePlatform } from ${JSON.stringify(compiled.url("node/node-platform.js"))};
      nodePlatform().workers.spawn(new URL(${JSON.stringify(url.href)}), {
        onMessage: (message) => console.log(message),
        onExit: (error) => console.log("ended", error),
      }).post("hello");`;
    const file = fileURLToPath(compiled.module("v8-options.js", program));
    const options = ["--max-old-space-size=200", "--expose-gc", ...evaluation];
    const script = compiled.module(
      "with-v8-options.js",
      `import { execFileSync } from "node:child_process";
       const options = ${JSON.stringify([...options, evaluation.length === 0 ? file : program])};
       process.stdout.write(execFileSync(process.execPath, options));`,
    );
    expect(await runChild(script).line()).toBe("hello");
  });

  it("starts also from a program that was given on the command line", async () => {
    const url = worker("echo2.js", "serveWorker((message) => message);");
    const program = `
      import { nodePlatform } from ${JSON.stringify(compiled.url("node/node-platform.js"))};
      nodePlatform().workers.spawn(new URL(${JSON.stringify(url.href)}), {
        onMessage: (message) => console.log(message),
        onExit: (error) => console.log("ended", error),
      }).post("hello");`;
    const script = compiled.module(
      "eval.js",
      `import { execFileSync } from "node:child_process";
       const options = ["--input-type=module", "--eval", ${JSON.stringify(program)}];
       process.stdout.write(execFileSync(process.execPath, options));`,
    );
    expect(await runChild(script).line()).toBe("hello");
  });

  it("is served only inside a worker", () => {
    expect(() => serveWorker(() => undefined)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  function ask(url: URL, message: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const handle = workers.spawn(url, {
        onMessage(reply) {
          resolve(reply);
          handle.terminate().catch(reject);
        },
        onExit: (error) => reject(error ?? new Error("ended without an answer")),
      });
      handle.post(message);
    });
  }
});

/** Writes a worker's module. */
function worker(name: string, body: string): URL {
  const port = JSON.stringify(compiled.url("node/worker-port.js"));
  return compiled.module(name, `import { serveWorker } from ${port};\n${body}`);
}
