import { expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { ProcessClock, SimulationClock } from "../../../sim/world/clock.js";
import { Disturbances } from "../../../sim/world/disturbances.js";
import { CALM_WORLD, noWorldFaults } from "../../../sim/world/faults.js";

function setUp() {
  const truth = new SimulationClock();
  truth.advance(5_000_000);
  return { truth, clock: new ProcessClock(truth) };
}

test("an undisturbed process sees true time, from an origin of its own", () => {
  const { truth, clock } = setUp();
  expect(clock.nowMs()).toBe(0);
  expect(clock.wallMs()).toBe(truth.wallMs());
  truth.advance(1500);
  expect(clock.nowMs()).toBe(1.5);
  expect(clock.wallMs()).toBe(truth.wallMs());
});

test("a jump moves the wall clock in either direction and the monotonic one not at all", () => {
  const { truth, clock } = setUp();
  clock.jumpWall(-3_600_000);
  expect(clock.wallMs()).toBe(truth.wallMs() - 3_600_000);
  clock.jumpWall(7_200_000);
  expect(clock.wallMs()).toBe(truth.wallMs() + 3_600_000);
  expect(clock.nowMs()).toBe(0);
});

test("a frozen clock stands still and then goes on from there", () => {
  const { truth, clock } = setUp();
  truth.advance(1000);
  clock.freeze(10);
  truth.advance(9000);
  expect(clock.nowMs()).toBe(1);
  truth.advance(3000);
  expect(clock.nowMs()).toBe(3);
});

test("a drifting clock goes at its own rate from the moment on at which it began to drift", () => {
  const { truth, clock } = setUp();
  truth.advance(1000);
  clock.drift(2);
  truth.advance(1000);
  expect(clock.nowMs()).toBe(3);
  clock.drift(0.5);
  truth.advance(1000);
  expect(clock.nowMs()).toBe(3.5);
});

test("whatever befalls it, the monotonic clock of a process never goes back", () => {
  const { truth, clock } = setUp();
  const choices = Choices.fromSeed("1");
  const counts = noWorldFaults();
  const faults = { ...CALM_WORLD, clockEveryTurns: 2, pauseEveryTurns: 10, pauseMsMax: 1000 };
  const disturbances = new Disturbances(faults, counts, truth, choices);
  let last = clock.nowMs();
  for (let turn = 0; turn < 2000; turn++) {
    disturbances.onTurn(clock);
    truth.advance(turn % 7);
    expect(clock.nowMs()).toBeGreaterThanOrEqual(last);
    last = clock.nowMs();
  }
  for (const kind of ["T4 wall clock jump", "T4 drift", "T4 freeze", "T5 pause"] as const) {
    expect(counts[kind], kind).toBeGreaterThan(0);
  }
  expect(disturbances.pausedUs).toBeGreaterThan(0);
  expect(disturbances.pausedUs).toBeLessThanOrEqual(truth.nowUs);
});

test("a calm world disturbs no more, and an empty log disturbs nothing", () => {
  const { truth, clock } = setUp();
  const counts = noWorldFaults();
  const faults = { ...CALM_WORLD, clockEveryTurns: 1, pauseEveryTurns: 1, pauseMsMax: 1000 };
  const replayed = new Disturbances(faults, counts, truth, Choices.fromLog("1", {}));
  const calmed = new Disturbances(faults, counts, truth, Choices.fromSeed("1"));
  calmed.calm();
  for (let turn = 0; turn < 100; turn++) {
    replayed.onTurn(clock);
    calmed.onTurn(clock);
  }
  expect(counts).toEqual(noWorldFaults());
});
