/**
 * `simulateWith`: inputs from fast-check, crashes from us. fast-check draws and shrinks the input of the scenario; for
 * each input some seeds are simulated. A failure is one message with both: the shrunk input with fast-check's seed and
 * path, and the root cause with ours; and one line that repeats exactly that. fast-check is the caller's: it is handed in.
 */
import { StillwaterError } from "../../src/platform/errors.js";
import { type SimulateOptions, SimulationFailure, simulateInput } from "./simulate.js";

/** What is used of fast-check. */
export interface FastCheck {
  asyncProperty(arbitrary: never, predicate: (input: never) => Promise<void>): unknown;
  check(property: never, parameters: object): unknown;
}

/** What is used of its report. */
interface RunDetails {
  readonly failed: boolean;
  readonly seed: number;
  readonly numRuns: number;
  readonly counterexamplePath: string | null;
  readonly counterexample: readonly [unknown] | null;
  readonly errorInstance?: unknown;
}

/** The value that an arbitrary of fast-check draws. */
export type DrawnBy<Arbitrary> = Arbitrary extends {
  generate(...parameters: never[]): { readonly value: infer T };
}
  ? T
  : never;

const INPUTS = 20;
const SEEDS_PER_INPUT = 40;

/** `parameters` are fast-check's own: `numRuns`, `seed`, `path` and so on. Throws `SimulationFailure`. */
export async function simulateWith<Arbitrary, Promised = unknown>(
  fastCheck: FastCheck,
  arbitrary: Arbitrary,
  options: SimulateOptions<Promised, DrawnBy<Arbitrary>>,
  parameters: object = {},
): Promise<{ readonly inputs: number }> {
  const predicate = async (input: DrawnBy<Arbitrary>): Promise<void> => {
    await simulateInput({ seeds: SEEDS_PER_INPUT, ...options }, input);
  };
  const property = fastCheck.asyncProperty(arbitrary as never, predicate as (input: never) => Promise<void>);
  const details = (await fastCheck.check(property as never, {
    numRuns: INPUTS,
    ...parameters,
    ...replayed(),
  })) as RunDetails;
  if (!details.failed) return { inputs: details.numRuns };
  const { errorInstance, seed, counterexamplePath, counterexample } = details;
  if (!(errorInstance instanceof SimulationFailure)) throw errorInstance;
  const drawn = `${seed}:${counterexamplePath ?? ""}`;
  const explanation = [
    errorInstance.explanation,
    `  input       ${JSON.stringify(counterexample?.[0])}`,
    `  fast-check  seed ${seed}, path "${counterexamplePath ?? ""}"`,
  ].join("\n");
  throw new SimulationFailure(
    errorInstance.seed,
    explanation,
    errorInstance.cause,
    ` STILLWATER_FAST_CHECK=${drawn}`,
  );
}

/** `STILLWATER_FAST_CHECK=seed:path` repeats one input. */
function replayed(): object {
  const text = process.env["STILLWATER_FAST_CHECK"];
  if (text === undefined) return {};
  const match = /^(-?\d+):([\d:]*)$/.exec(text);
  if (match === null) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `STILLWATER_FAST_CHECK must be seed:path, but it is "${text}".`,
    );
  }
  return {
    seed: Number(match[1]),
    ...(match[2] === "" ? {} : { path: match[2] }),
    numRuns: 1,
    endOnFailure: true,
  };
}
