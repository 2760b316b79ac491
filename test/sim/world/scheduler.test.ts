import { describe, expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { SimulationClock } from "../../../sim/world/clock.js";
import { CALM_WORLD, noWorldFaults, PUT_OFF_MS_MAX, type WorldFaults } from "../../../sim/world/faults.js";
import {
  SCHEDULE_POLICIES,
  type SchedulePolicy,
  type SchedulerFaults,
  SimulationScheduler,
} from "../../../sim/world/scheduler.js";

function setUp(policy: SchedulePolicy, seed = "1") {
  const clock = new SimulationClock();
  const choices = Choices.fromSeed(seed).stream("schedule");
  return { clock, choices, scheduler: new SimulationScheduler(clock, policy, choices) };
}

function setUpDisturbed(policy: SchedulePolicy, faults: Partial<WorldFaults>, seed = "1") {
  const clock = new SimulationClock();
  const choices = Choices.fromSeed(seed);
  const disturbed: SchedulerFaults = {
    ...CALM_WORLD,
    ...faults,
    yields: choices.stream("yields"),
    lateness: choices.stream("lateness"),
    counts: noWorldFaults(),
  };
  const scheduler = new SimulationScheduler(clock, policy, choices.stream("schedule"), disturbed);
  return { clock, scheduler, counts: disturbed.counts };
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
    for (const policy of SCHEDULE_POLICIES) {
      const { scheduler } = setUpDisturbed(policy, { putOffProbability: 0.5, putOffTurnsMax: 20 });
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

/** Chains of tasks that each ask for their next one: what a thread is elsewhere. Returns who ran, in order. */
function runChains(scheduler: SimulationScheduler, chains: number, length: number): number[] {
  const ran: number[] = [];
  const link = (chain: number, left: number) => (): void => {
    ran.push(chain);
    if (left > 0) scheduler.defer(link(chain, left - 1));
  };
  for (let chain = 0; chain < chains; chain++) scheduler.defer(link(chain, length - 1));
  drain(scheduler);
  return ran;
}

describe("unfair policies", () => {
  test("priorities let one chain run far ahead of the others", () => {
    const ran = runChains(setUpDisturbed("priorities", {}).scheduler, 4, 100);
    expect(new Set(ran.slice(0, 20)).size).toBe(1);
  });

  test("priorities change as often as they are told to", () => {
    const { scheduler, counts } = setUpDisturbed("priorities", { priorityChanges: 3 });
    const ran = runChains(scheduler, 4, 100);
    expect(counts["T1 priority change"]).toBe(3);
    expect(new Set(ran.slice(0, 300)).size).toBeGreaterThan(2);
  });

  test("priorities never pass over a task for good", () => {
    const { scheduler } = setUpDisturbed("priorities", { priorityChanges: 0 });
    let isDone = false;
    let turns = 0;
    const forever = (): void => {
      if (!isDone && ++turns < 10_000) scheduler.defer(forever);
    };
    for (let i = 0; i < 3; i++) scheduler.defer(forever);
    scheduler.defer(() => {
      isDone = true;
    });
    drain(scheduler);
    expect(isDone).toBe(true);
    expect(turns).toBeLessThan(1000);
  });

  test("starving puts one chain behind all others, for a while only", () => {
    const { scheduler, counts } = setUpDisturbed("starve", {});
    const ran = runChains(scheduler, 20, 60);
    expect(ran.length).toBe(20 * 60);
    expect(counts["T1 unfair turn"]).toBeGreaterThan(10);
    const fair = runChains(setUp("fifo").scheduler, 20, 60);
    expect(ran).not.toEqual(fair);
  });
});

describe("tasks that are put off", () => {
  test("let others run first, those too that only a timer makes ready", () => {
    let overtaken = 0;
    for (let seed = 0; seed < 40; seed++) {
      const { scheduler } = setUpDisturbed(
        "fifo",
        { putOffProbability: 0.5, putOffTurnsMax: 20 },
        String(seed),
      );
      const ran: string[] = [];
      scheduler.defer(() => ran.push("deferred"));
      scheduler.afterExactly(1, () => ran.push("timer"));
      drain(scheduler);
      expect(ran.length).toBe(2);
      if (ran[0] === "timer") overtaken++;
    }
    expect(overtaken).toBeGreaterThan(5);
    expect(overtaken).toBeLessThan(35);
  });

  test("have their turn at once when the world becomes calm", () => {
    const { scheduler } = setUpDisturbed("fifo", { putOffProbability: 1, putOffTurnsMax: 20 });
    const ran: string[] = [];
    scheduler.defer(() => ran.push("first"));
    scheduler.calm();
    scheduler.defer(() => ran.push("second"));
    drain(scheduler);
    expect(ran).toEqual(["first", "second"]);
  });

  test("wait for virtual time at most so long, and for nothing when nothing else can run", () => {
    const { scheduler, clock } = setUpDisturbed("fifo", { putOffProbability: 1, putOffTurnsMax: 20 });
    let ranAtMs = -1;
    scheduler.afterExactly(1000, () => undefined);
    scheduler.defer(() => {
      ranAtMs = clock.nowMs();
    });
    drain(scheduler);
    expect(ranAtMs).toBeGreaterThanOrEqual(0);
    expect(ranAtMs).toBeLessThanOrEqual(PUT_OFF_MS_MAX);
    expect(scheduler.tasksPending).toBe(0);
  });

  test("are counted as pending, and gone when the life ends", () => {
    const { scheduler } = setUpDisturbed("fifo", { putOffProbability: 1, putOffTurnsMax: 20 });
    scheduler.defer(() => expect.unreachable());
    expect(scheduler.tasksPending).toBe(1);
    expect(scheduler.describe()).toEqual(["it is 0 ms", expect.stringContaining("task put off: () =>")]);
    scheduler.end();
    expect(scheduler.next()).toBeNull();
  });
});

describe("late timers", () => {
  test("fire after their time, by no more than the bound; exact ones on time", () => {
    const { scheduler, clock, counts } = setUpDisturbed("fifo", {
      lateTimerProbability: 1,
      lateTimerMsMax: 50,
    });
    const at: number[] = [];
    for (let i = 0; i < 50; i++) scheduler.after(10, () => at.push(clock.nowMs()));
    scheduler.afterExactly(10, () => expect(clock.nowMs()).toBe(10));
    drain(scheduler);
    expect(Math.min(...at)).toBeGreaterThan(10);
    expect(Math.max(...at)).toBeLessThanOrEqual(60);
    expect(counts["T4 late timer"]).toBe(50);
  });
});
