/**
 * Draws what may happen to time, turns and the process of a seed (`sim/world/faults.ts`). Every draw is made whatever is
 * allowed, so that limits do not shift the others. Does not own: the disk's faults (`disk-options.ts`).
 */
import { CALM_WORLD, type WorldFaults } from "../world/faults.js";
import type { FaultName } from "./disk-options.js";
import { type Draw, round } from "./draw.js";

/** Off in a quarter of the seeds altogether, and each kind in half of the others. */
export function drawWorld(draw: Draw, allowed: readonly FaultName[]): WorldFaults {
  const quiet = draw.chance(0.25);
  const drawn = (name: FaultName): number => {
    const on = draw.half();
    const share = draw.fraction();
    return on && !quiet && allowed.includes(name) ? share : 0;
  };
  const putOff = drawn("putOff");
  const putOffTurnsMax = 1 + draw.upTo(19);
  const lateTimer = drawn("lateTimer");
  const lateTimerMsMax = draw.one([5, 1, 50, 500]);
  const clock = drawn("clock");
  const pause = drawn("pause");
  const pauseMsMax = draw.one([1000, 10, 60_000, 3_600_000]);
  const priorityChanges = 1 + draw.upTo(4);
  const rival = drawn("rival");
  const stray = drawn("stray");
  const lateCall = drawn("lateCall");
  const crashLoop = drawn("crashLoop");
  return {
    ...CALM_WORLD,
    priorityChanges,
    putOffProbability: round(putOff ** 2 / 2),
    putOffTurnsMax: putOff === 0 ? 0 : putOffTurnsMax,
    lateTimerProbability: round(lateTimer ** 2),
    lateTimerMsMax: lateTimer === 0 ? 0 : lateTimerMsMax,
    clockEveryTurns: clock === 0 ? 0 : Math.ceil(20 / clock),
    pauseEveryTurns: pause === 0 ? 0 : Math.ceil(200 / pause),
    pauseMsMax: pause === 0 ? 0 : pauseMsMax,
    rivalProbability: round(rival),
    strayProbability: round(stray),
    crashLoopProbability: round(crashLoop / 5),
    lateCallProbability: round(lateCall),
  };
}
