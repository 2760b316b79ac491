import { describe, expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { SimulationClock } from "../../../sim/world/clock.js";
import { type SchedulePolicy, SimulationScheduler } from "../../../sim/world/scheduler.js";

function setUp(policy: SchedulePolicy, seed = "1") {
  const clock = new SimulationClock();
  const choices = Choices.fromSeed(seed).stream("schedule");
  return { clock, choices, scheduler: new SimulationScheduler(clock, policy, choices) };
}

/** Runs everything there is to run, and returns what the tasks noted. */
function drain(scheduler: SimulationScheduler): void {
  for (let task = scheduler.next(); task !== null; task = scheduler.next()) task();
}

describe("the order of turns", () => {
  test("first in, first out", () => {
    const { scheduler } = setUp("fifo");
    const ran: number[] = [];
    for (let i = 0; i < 5; i++) scheduler.defer(() => ran.push(i));
    drain(scheduler);
    expect(ran).toEqual([0, 1, 2, 3, 4]);
  });

  test("last in, first out never starves the oldest task", () => {
    const { scheduler } = setUp("lifo");
    let old = false;
    let turns = 0;
    scheduler.defer(() => {
      old = true;
    });
    const again = (): void => {
      if (!old && ++turns < 1000) scheduler.defer(again);
    };
    scheduler.defer(again);
    drain(scheduler);
    expect(old).toBe(true);
    expect(turns).toBeLessThan(20);
  });

  test("random order is a choice of the seed, and the empty log is first in, first out", () => {
    const order = (choices: Choices): number[] => {
      const scheduler = new SimulationScheduler(new SimulationClock(), "random", choices.stream("schedule"));
      const ran: number[] = [];
      for (let i = 0; i < 10; i++) scheduler.defer(() => ran.push(i));
      drain(scheduler);
      return ran;
    };
    const first = Choices.fromSeed("a");
    const shuffled = order(first);
    expect(shuffled).not.toEqual([...shuffled].sort((a, b) => a - b));
    expect(order(Choices.fromSeed("a"))).toEqual(shuffled);
    expect(order(Choices.fromLog("a", first.log()))).toEqual(shuffled);
    expect(order(Choices.fromLog("a", {}))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("every task runs exactly once under every policy", () => {
    for (const policy of ["fifo", "lifo", "random"] as const) {
      const { scheduler } = setUp(policy);
      const ran = new Map<number, number>();
      const note = (i: number) => () => {
        ran.set(i, (ran.get(i) ?? 0) + 1);
        if (i < 50) scheduler.defer(note(i + 50));
      };
      for (let i = 0; i < 50; i++) {
        if (i % 2 === 0) scheduler.defer(note(i));
        else scheduler.after(i % 7, note(i));
      }
      drain(scheduler);
      expect(ran.size).toBe(100);
      expect([...ran.values()].every((times) => times === 1)).toBe(true);
    }
  });
});

describe("timers", () => {
  test("fire in order of time, and the clock jumps to them", () => {
    const { clock, scheduler } = setUp("fifo");
    const ran: string[] = [];
    for (const ms of [30, 10, 20, 10]) scheduler.after(ms, () => ran.push(`${ms} at ${clock.nowMs()}`));
    drain(scheduler);
    expect(ran).toEqual(["10 at 10", "10 at 10", "20 at 20", "30 at 30"]);
  });

  test("never fire after being cancelled", () => {
    const { scheduler } = setUp("fifo");
    const timer = scheduler.after(1, () => expect.unreachable());
    expect(scheduler.timersPending).toBe(1);
    timer.cancel();
    timer.cancel();
    expect(scheduler.timersPending).toBe(0);
    drain(scheduler);
  });

  test("the clock does not jump past the time that the caller waits for", () => {
    const { clock, scheduler } = setUp("fifo");
    let fired = false;
    scheduler.after(100, () => {
      fired = true;
    });
    expect(scheduler.next(50_000)).toBeNull();
    expect(clock.nowMs()).toBe(50);
    scheduler.next(200_000)?.();
    expect(fired).toBe(true);
  });

  test("nothing of a life that has ended runs, and what it asks for later is ignored", () => {
    const { scheduler } = setUp("fifo");
    scheduler.defer(() => expect.unreachable());
    scheduler.after(1, () => expect.unreachable());
    scheduler.end();
    scheduler.defer(() => expect.unreachable());
    scheduler.after(1, () => expect.unreachable());
    expect(scheduler.next()).toBeNull();
  });
});
