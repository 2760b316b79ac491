/** The name of the fault that an answer in a fault stream stands for, for people. */
import { FAULT_STRIDE } from "../disk/fault-dice.js";
import {
  CLOSE_FAULTS,
  LIFE_FAULTS,
  NAME_FAULTS,
  READ_FAULTS,
  STAT_FAULTS,
  SYNC_FAULTS,
  WRITE_FAULTS,
} from "../disk/options.js";

const NAMES: Readonly<Record<string, readonly string[]>> = {
  "disk.read": READ_FAULTS,
  "disk.write": WRITE_FAULTS,
  "disk.sync": SYNC_FAULTS,
  "disk.name": NAME_FAULTS,
  "disk.close": CLOSE_FAULTS,
  "disk.stat": STAT_FAULTS,
  "disk.life": LIFE_FAULTS,
  clock: ["clock", "pause"],
};

export function faultName(stream: string, answer: number): string {
  return NAMES[stream]?.[(answer - 1) % FAULT_STRIDE] ?? stream;
}
