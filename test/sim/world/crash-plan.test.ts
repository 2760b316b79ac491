import { expect, test } from "vitest";
import { SimulationClock } from "../../../sim/world/clock.js";
import { CrashPlan } from "../../../sim/world/crash-plan.js";

test("a crash at the third call comes at the third call", () => {
  const plan = new CrashPlan(new SimulationClock());
  expect(plan.onCall()).toBe(false);
  plan.arm({ how: "power-loss", at: { calls: 3 } });
  expect([plan.onCall(), plan.onCall(), plan.onCall()]).toEqual([false, false, true]);
  expect(plan.onPoint("wal.append")).toBe(false);
});

test("a crash at the second hit of a point counts that point only, and a star counts all", () => {
  const plan = new CrashPlan(new SimulationClock());
  plan.arm({ how: "process-kill", at: { point: "a", hits: 2 } });
  expect([plan.onPoint("a"), plan.onPoint("b"), plan.onPoint("a")]).toEqual([false, false, true]);
  plan.arm({ how: "process-kill", at: { point: "*", hits: 2 } });
  expect([plan.onPoint("a"), plan.onPoint("b")]).toEqual([false, true]);
  expect(plan.onCall()).toBe(false);
});

test("a crash at a time falls due that long after it was armed", () => {
  const clock = new SimulationClock();
  const plan = new CrashPlan(clock);
  expect(plan.dueUs).toBe(Number.POSITIVE_INFINITY);
  clock.advance(1000);
  plan.arm({ how: "power-loss", at: { afterMs: 2.5 } });
  expect(plan.dueUs).toBe(3500);
  plan.disarm();
  expect(plan.dueUs).toBe(Number.POSITIVE_INFINITY);
  expect(plan.armed).toBeNull();
});
