/**
 * The names of what may be wrong with a history, what each means, and which consistency model forbids it. Names and levels are
 * those of Adya's thesis (1999) and of Elle (Kingsbury, Alvaro 2020). A model forbids what the weaker ones forbid.
 */
import { StillwaterError } from "../../src/platform/errors.js";

/** From weak to strong; `strong-session-serializable` is called sequential consistency elsewhere. */
export const MODELS = [
  "read-committed",
  "snapshot-isolation",
  "serializable",
  "strong-session-serializable",
  "strict-serializable",
] as const;

/** The consistency models that a history can be held against. */
export type Model = (typeof MODELS)[number];
export const DEFAULT_MODEL: Model = "strict-serializable";

interface Meaning {
  /** The weakest model that forbids it. */
  readonly model: Model;
  readonly text: string;
}

const CYCLES = {
  G0: { model: "read-committed", text: "dirty write: writes of transactions interleave" },
  G1c: { model: "read-committed", text: "circular information flow: each depends on what the other did" },
  "G-single": {
    model: "snapshot-isolation",
    text: "read skew: one part is read before a change, another after",
  },
  "G-nonadjacent": {
    model: "snapshot-isolation",
    text: "reads missed writes, in a way that no snapshots can",
  },
  "G2-item": { model: "serializable", text: "write skew: each read what the other was about to change" },
  G2: { model: "serializable", text: "phantom: a range was read before a key appeared in it" },
} as const satisfies Record<string, Meaning>;

const OTHERS = {
  G1a: { model: "read-committed", text: "aborted read: what a failed transaction appended was read" },
  G1b: {
    model: "read-committed",
    text: "intermediate read: a transaction's writes were read before its last",
  },
  "dirty-update": { model: "read-committed", text: "a committed write lies on top of an aborted one" },
  "duplicate-elements": { model: "read-committed", text: "one append is in a list twice" },
  "incompatible-order": { model: "read-committed", text: "appends are seen in two orders" },
  "garbage-read": { model: "read-committed", text: "what nobody appended was read" },
  "lost-write": { model: "read-committed", text: "an acknowledged append is gone" },
  internal: { model: "snapshot-isolation", text: "a transaction contradicts its own reads and writes" },
  "lost-update": { model: "snapshot-isolation", text: "two transactions updated what both had read before" },
} as const satisfies Record<string, Meaning>;

export type CycleClass = keyof typeof CYCLES;
export type CycleName = CycleClass | `${CycleClass}-process` | `${CycleClass}-realtime`;
/** Adya's names. */
export type AnomalyName = CycleName | keyof typeof OTHERS;

const MEANINGS: ReadonlyMap<AnomalyName, Meaning> = new Map<AnomalyName, Meaning>([
  ...(Object.entries(OTHERS) as [keyof typeof OTHERS, Meaning][]),
  ...(Object.entries(CYCLES) as [CycleClass, Meaning][]).flatMap(([name, { model, text }]) => {
    const rows: [CycleName, Meaning][] = [
      [name, { model, text }],
      [
        `${name}-process`,
        { model: "strong-session-serializable", text: `${text}, by a process's own order` },
      ],
      [
        `${name}-realtime`,
        { model: "strict-serializable", text: `${text}, given what ended before what began` },
      ],
    ];
    return rows;
  }),
]);

/** The anomalies that are told apart. */
export const ANOMALY_NAMES: readonly AnomalyName[] = [...MEANINGS.keys()];

export function meaningOf(name: AnomalyName): string {
  return (MEANINGS.get(name) as Meaning).text;
}

export function forbids(model: Model, name: AnomalyName): boolean {
  return isAtLeast(model, (MEANINGS.get(name) as Meaning).model);
}

export function isAtLeast(model: Model, other: Model): boolean {
  return MODELS.indexOf(model) >= MODELS.indexOf(other);
}

/** Throws `INVALID_ARGUMENT`. */
export function parseModel(text: string): Model {
  const model = MODELS.find((one) => one === text);
  if (model !== undefined) return model;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `there is no consistency model ${JSON.stringify(text)}. Known: ${MODELS.join(", ")}.`,
  );
}
