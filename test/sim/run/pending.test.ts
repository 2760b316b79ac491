/** Reports of what is pending, and who is to blame for it. */
import { describe, expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { OracleFailure } from "../../../sim/oracles/failure.js";
import {
  blameWorldFirst,
  describePending,
  explainLiveness,
  obstaclesOfWorld,
} from "../../../sim/run/pending.js";
import { Session, STORE_DIRECTORY } from "../../../sim/run/session.js";
import { Trace } from "../../../sim/trace/trace.js";
import { PLAIN_OPTIONS } from "../../../sim/workload/plain-options.js";
import { World } from "../../../sim/world/world.js";
import { Store } from "../../../src/engine/store.js";

function createSession(): Session {
  const choices = Choices.fromSeed("1");
  const trace = new Trace(false);
  const options = PLAIN_OPTIONS;
  const world = new World(
    {
      schedule: "fifo",
      buggify: false,
      faults: options.world,
      mutants: [],
      stepsMax: 1000,
      stepsInAllMax: 1000,
      quietMsMax: 1000,
    },
    choices,
    trace,
    (timers) => new SimulationDisk(options.disk, choices, trace, timers),
  );
  return new Session(world, options);
}

/** What a life reports that waits for ever with an open store and a commit under way. */
async function stuckOverCommit(session: Session): Promise<readonly string[]> {
  const end = await session.world.live(async (life) => {
    session.beginLife(life);
    const store = await Store.open(STORE_DIRECTORY, {}, life.platform);
    session.opened(store);
    session.doing = "operation 3 (write)";
    const file = life.platform.vfs.createFile("/file");
    file.syncDataLater(() => undefined);
    session.inFlight.add(
      "commit 7",
      new Promise(() => undefined),
      () => undefined,
      () => undefined,
    );
    session.iterators.set(5, { iterator: store.iterator(), version: 9 } as never);
    await new Promise((_, reject) => {
      life.scheduler.defer(() => {
        reject(new Error(describePending(session).join("\n")));
      });
    });
  });
  if (end.kind !== "failed" || !(end.error instanceof Error)) throw new Error("the life ends as failed");
  return end.error.message.split("\n");
}

test("a report names the main task, calls without answer, calls of the disk, locks, files, iterators, and the store", async () => {
  const lines = await stuckOverCommit(createSession());
  expect(lines[0]).toBe("main task: operation 3 (write)");
  expect(lines[1]).toMatch(/^commit 7 has no answer since [\d.]+ ms$/);
  expect(lines[2]).toMatch(/^VFS call syncDataLater \/file is in flight since [\d.]+ ms$/);
  expect(lines).toContain(`directory ${STORE_DIRECTORY} is locked`);
  expect(lines).toContain("file /file is open");
  expect(lines).toContain("iterator 5 is open, at version 9");
  expect(lines.at(-1)).toMatch(/^store: running, background work idle, 0 sealed memtables/);
});

describe("before the engine is blamed", () => {
  const failure = new OracleFailure("O15", "it does not come to rest");
  const calm = (): Session => {
    const session = createSession();
    session.world.calm();
    session.faultsAreOn = false;
    return session;
  };

  test("a calm world with damage within its budget is shown to allow progress", () => {
    const session = calm();
    expect(obstaclesOfWorld(session)).toEqual([]);
    expect(blameWorldFirst(session, failure)).toBe(failure);
    expect(explainLiveness(session, new Error("else"))).toEqual(new Error("else"));
  });

  test("whatever is in the way makes it the harness' own error", () => {
    const disturbed: readonly ((session: Session) => void)[] = [
      (session) => {
        session.faultsAreOn = true;
      },
      (session) => session.world.crashes.arm({ how: "power-loss", at: { calls: 9 } }),
    ];
    for (const disturb of disturbed) {
      const session = calm();
      disturb(session);
      const blamed = blameWorldFirst(session, failure);
      expect(blamed).not.toBeInstanceOf(OracleFailure);
      expect(blamed.message).toContain("the harness demands what it prevents");
    }
    expect(obstaclesOfWorld(createSession())).toHaveLength(2);
  });

  test("damage to the manifest is outside of every budget", async () => {
    const session = calm();
    await session.world.live(async (life) => {
      const file = life.platform.vfs.createFile("/MANIFEST-000001");
      file.write(new Uint8Array(100), 0, 100, 0);
      file.syncData();
      file.close();
    });
    session.disk.corrupt("/MANIFEST-000001", 5, 1);
    expect(obstaclesOfWorld(session)).toEqual([expect.stringContaining("/MANIFEST-000001, byte")]);
  });
});
