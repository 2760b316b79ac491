/** `getCompaction`, `runCompaction`: how far behind the tree is, and merging all of it. */
import { type AdminContext, storeOf } from "../context.js";
import { operation } from "../operation.js";
import { flag, integer, nullable, number, object, optional, text } from "../schema.js";

const output = object({
  isRunning: flag({ description: "Whether a compaction of everything that was asked for is under way." }),
  elapsedMs: nullable(number({ description: "Of that one, or of the last." })),
  failure: nullable(text({ description: "Why the last one failed." })),
  isBusy: flag({ description: "Whether any background work is under way." }),
  debtBytes: integer({ minimum: 0, description: "Waiting to be compacted." }),
  compactions: integer({ minimum: 0, description: "Since the store was opened." }),
});

export const getCompaction = operation({
  name: "getCompaction",
  summary: "How compaction is getting on.",
  effect: "read",
  errors: ["NOT_SUPPORTED"],
  input: object({}),
  output,
  async run(context) {
    return state(context);
  },
});

export const runCompaction = operation({
  name: "runCompaction",
  summary: "Merge all tables, so that nothing deleted or replaced takes space any more.",
  effect: "upkeep",
  errors: ["BUSY", "NOT_SUPPORTED"],
  input: object({
    wait: optional(flag({ default: false, description: "Answer when it is over, not when it has begun." })),
  }),
  output,
  async run(context, { wait = false }) {
    const over = context.compaction.start(storeOf(context));
    if (wait) await over;
    return state(context);
  },
});

function state(context: AdminContext) {
  const store = storeOf(context);
  const { debtBytes, backgroundBusy } = store.inspect();
  const { compactions } = store.stats();
  return { ...context.compaction.state, isBusy: backgroundBusy, debtBytes, compactions };
}
