// One engine, some phases, one process: prints { name: number } as JSON. Run by main.mjs.
//   node bench/worker.mjs ENGINE DIRECTORY ENTRIES PHASE[+PHASE…]
import { mkdirSync } from "node:fs";
import { Keys, values } from "./data.mjs";
import { INSERTED_MAX, PHASES } from "./phases.mjs";

const [engineName, directory, entriesText, phaseNames] = process.argv.slice(2);
const entries = Number(entriesText);
const { open } = await import(`./engines/${engineName}.mjs`);
const keys = new Keys(entries + INSERTED_MAX);
const valueOf = values();
const result = {};
let engine = null;

for (const phaseName of phaseNames.split("+")) {
  const phase = PHASES[phaseName];
  const options = { durable: phase.durable, cacheBytes: phase.cacheBytes };
  mkdirSync(directory, { recursive: true });
  if (phase.isFresh && engine !== null) {
    await engine.close();
    engine = null;
  }
  if (!phase.opens) engine ??= await open(directory, options);
  const isClosed = await phase.run({
    engine,
    open: () => open(directory, options),
    directory: engineName === "memory-level" ? null : directory,
    entries,
    keys,
    valueOf,
    emit: (name, value) => {
      result[name] = value;
    },
  });
  if (isClosed === true) engine = null;
}
await engine?.close();
console.log(JSON.stringify(result));
