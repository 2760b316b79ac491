/**
 * What befalls a running process between two of its turns: its clocks are set, drift or stand still (T4), or it gets no
 * turn for a long time, as when its machine is moved or its terminal stopped (T5), and then goes on with whatever it
 * held. One decision a turn. Does not own: late timers and put-off tasks (`scheduler.ts`), crashes.
 */
import type { Choices } from "../choices/choices.js";
import { FaultDice } from "../disk/fault-dice.js";
import type { ProcessClock, SimulationClock } from "./clock.js";
import type { WorldFaultCounts, WorldFaults } from "./faults.js";

type Disturbance = "clock" | "pause";

const HOUR_MS = 3_600_000;
/** By how much somebody sets a wall clock: a leap second, a wrong time zone, a dead battery. */
const JUMPS_MS = [1000, -1000, 5 * HOUR_MS, -5 * HOUR_MS, 20_000 * HOUR_MS, -20_000 * HOUR_MS] as const;
/** An oscillator that is off, and a virtual machine that was starved or catches up. */
const RATES = [1, 0.9995, 1.0005, 0.5, 2] as const;
const FREEZES_MS = [10, 1000, 60_000] as const;

export class Disturbances {
  /** Virtual time that processes have spent paused. */
  pausedUs = 0;
  readonly #faults: WorldFaults;
  readonly #counts: WorldFaultCounts;
  readonly #clock: SimulationClock;
  readonly #dice: FaultDice<Disturbance>;
  #isCalm: boolean;

  constructor(faults: WorldFaults, counts: WorldFaultCounts, clock: SimulationClock, choices: Choices) {
    this.#faults = faults;
    this.#counts = counts;
    this.#clock = clock;
    this.#isCalm = faults.clockEveryTurns === 0 && faults.pauseEveryTurns === 0;
    this.#dice = new FaultDice(choices.stream("clock"), ["clock", "pause"], {
      clock: shareOf(faults.clockEveryTurns),
      pause: shareOf(faults.pauseEveryTurns),
    });
  }

  /** The liveness phase: none any more. What the clocks show by then stays wrong. */
  calm(): void {
    this.#isCalm = true;
  }

  /** Before each turn of the process that reads `clock`. */
  onTurn(clock: ProcessClock): void {
    if (this.#isCalm) return;
    const kind = this.#dice.roll(true);
    const { detail } = this.#dice;
    if (kind === "clock") this.#disturb(clock, detail);
    else if (kind === "pause") this.#pause(detail);
  }

  #disturb(clock: ProcessClock, detail: number): void {
    const choice = Math.floor(detail / 3);
    if (detail % 3 === 0) {
      this.#counts["T4 wall clock jump"]++;
      clock.jumpWall(JUMPS_MS[choice % JUMPS_MS.length] as number); // below length
    } else if (detail % 3 === 1) {
      this.#counts["T4 drift"]++;
      clock.drift(RATES[choice % RATES.length] as number); // below length
    } else {
      this.#counts["T4 freeze"]++;
      clock.freeze(FREEZES_MS[choice % FREEZES_MS.length] as number); // below length
    }
  }

  #pause(detail: number): void {
    this.#counts["T5 pause"]++;
    // Cubed: short pauses are as many as long ones on the scale of their magnitudes.
    const share = ((1 + (detail % PAUSE_STEPS)) / PAUSE_STEPS) ** 3;
    const pauseUs = Math.ceil(this.#faults.pauseMsMax * 1000 * share);
    this.pausedUs += pauseUs;
    this.#clock.advance(pauseUs);
  }
}

const PAUSE_STEPS = 1000;

function shareOf(everyTurns: number): number {
  return everyTurns === 0 ? 0 : 1 / everyTurns;
}
