// Records what clients see of a database, as JSON lines for `stillwater sim check-history`:
//
//   node examples/check-history.mjs stillwater > good.jsonl
//   node examples/check-history.mjs toy > bad.jsonl
//   node dist/src/cli/main.js sim check-history good.jsonl
//   node dist/src/cli/main.js sim check-history --model serializable bad.jsonl
//
// To check your own database, write a third one of `databases`: it runs a body with `read` and `append`, throws what `refused`
// knows when the transaction was not committed, and anything else when nobody knows.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "stillwater";
import { formatHistory, HistoryRecorder } from "stillwater/sim";

const CLIENTS = 8;
const TRANSACTIONS = 100;
const KEYS = ["x", "y", "z"];

const databases = {
  /** Lists as JSON under their keys; a conflict is refused. */
  stillwater: async () => {
    const directory = mkdtempSync(join(tmpdir(), "check-history-"));
    const database = await openDatabase(directory);
    const listOf = async (tx, key) =>
      JSON.parse(Buffer.from((await tx.get(Buffer.from(key))) ?? "[]").toString());
    return {
      run: async (body) => {
        const tx = database.createTransaction();
        await body({
          read: (key) => listOf(tx, key),
          append: async (key, value) =>
            tx.set(Buffer.from(key), Buffer.from(JSON.stringify([...(await listOf(tx, key)), value]))),
        });
        await tx.commit();
      },
      refused: (error) => error.code === "NOT_COMMITTED",
      close: async () => {
        await database.close();
        rmSync(directory, { recursive: true });
      },
    };
  },

  /** Reads a snapshot, refuses two writers of one key, and forgets to look at what was read: write skew. */
  toy: async () => {
    let state = {};
    const pause = () => new Promise((resolve) => setImmediate(resolve));
    return {
      run: async (body) => {
        const snapshot = state;
        const own = {};
        const read = async (key) => (await pause(), [...(snapshot[key] ?? []), ...(own[key] ?? [])]);
        const append = async (key, value) => void (own[key] = [...(own[key] ?? []), value]);
        await body({ read, append });
        const lists = Object.entries(own).map(([key, values]) => {
          if (state[key] !== snapshot[key]) throw new Error("conflict");
          return [key, [...(snapshot[key] ?? []), ...values]];
        });
        state = { ...state, ...Object.fromEntries(lists) };
      },
      refused: (error) => error.message === "conflict",
      close: async () => {},
    };
  },
};

const open = databases[process.argv[2] ?? "stillwater"];
if (open === undefined) throw new Error(`Databases: ${Object.keys(databases).join(", ")}`);
const database = await open();
const recorder = new HistoryRecorder();
const random = (below) => Math.floor(Math.random() * below);

async function client(process) {
  for (let i = 0; i < TRANSACTIONS; i++) {
    await transaction(recorder.begin(process), async (tx, record) => {
      for (let j = 0; j < 3; j++) {
        const key = KEYS[random(KEYS.length)];
        if (random(2) === 0) {
          record.read(key, await tx.read(key));
        } else {
          // Each try appends values that were never used before.
          const value = recorder.nextValue();
          await tx.append(key, value);
          record.append(key, value);
        }
      }
    });
  }
}

async function transaction(record, body) {
  try {
    await database.run((tx) => body(tx, record));
    record.end("ok");
  } catch (error) {
    record.end(database.refused(error) ? "failed" : "unknown");
  }
}

await Promise.all(Array.from({ length: CLIENTS }, (_, process) => client(process)));
// What was acknowledged is still there at the end.
await transaction(recorder.begin("final", { isFinal: true }), async (tx, record) => {
  for (const key of KEYS) record.read(key, await tx.read(key));
});
process.stdout.write(formatHistory(recorder.history()));
await database.close();
