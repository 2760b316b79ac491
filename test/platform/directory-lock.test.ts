/**
 * The directory lock among real processes.
 * Verifies: exclusion between processes, threads, cluster workers and spellings of one path; that SIGKILL, exit and
 * failure free the lock; that the owner is named; both mechanisms that run here (socket, claims).
 * Does not verify: named pipes, which need Windows.
 */
import * as nodeFs from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { StillwaterError } from "../../src/platform/errors.js";
import { claimDirectory, type ProcessProbe } from "../../src/platform/node/claim-lock.js";
import { type LockMechanism, systemDirectoryLocks } from "../../src/platform/node/directory-lock.js";
import { lockedError } from "../../src/platform/node/lock-note.js";
import { type Child, type CompiledPlatform, compilePlatform, runChild } from "./compiled-platform.js";

let platform: CompiledPlatform;
let holder: URL;
let directory: string;
const children: Child[] = [];

beforeAll(() => {
  platform = compilePlatform();
  holder = platform.module(
    "holder.js",
    `import * as fs from "node:fs";
     import { systemDirectoryLocks } from ${JSON.stringify(platform.url("node/directory-lock.js"))};
     const [directory, mechanism, afterwards] = process.argv.slice(2);
     try {
       await systemDirectoryLocks(fs, mechanism).lock(directory);
       console.log("locked");
       if (afterwards === "stay") setInterval(() => undefined, 1000);
     } catch (error) {
       console.log(error.code + " " + error.ownerPid + " " + error.owner);
     }`,
  );
});
afterAll(() => platform.remove());

beforeEach(() => {
  directory = nodeFs.mkdtempSync(join(tmpdir(), "stillwater-lock-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  nodeFs.rmSync(directory, { recursive: true, force: true });
});

const mechanisms: LockMechanism[] = process.platform === "linux" ? ["socket", "claim"] : ["claim"];

describe.each(mechanisms)("the lock (%s)", (mechanism) => {
  const locks = systemDirectoryLocks(nodeFs, mechanism);
  const start = (afterwards: "stay" | "end"): Child => {
    const child = runChild(holder, directory, mechanism, afterwards);
    children.push(child);
    return child;
  };

  it("of a living process excludes others and is named in their error; its SIGKILL frees it", async () => {
    const child = start("stay");
    expect(await child.line()).toBe("locked");
    const refused = await locks.lock(directory).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "LOCKED",
      path: directory,
      operation: "lockDirectory",
      ownerPid: child.pid,
      owner: expect.stringMatching(
        new RegExp(`^process ${child.pid} since \\d{4}-\\d\\d-\\d\\dT.*Z on .+, running .*holder\\.js$`),
      ),
      message: expect.stringContaining(`process ${child.pid} since`),
    });
    expect(await child.kill()).toBe("SIGKILL");
    expect(nodeFs.readFileSync(join(directory, "LOCK"), "utf8"), "the note of the dead").toContain(
      `${child.pid}`,
    );
    const lock = await locks.lock(directory);
    expect(nodeFs.readFileSync(join(directory, "LOCK"), "utf8")).toContain(`process ${process.pid} since`);
    await lock.release();
    expect(nodeFs.readdirSync(directory)).toEqual([]);
  });

  it("does not keep its process alive, and ends with it", async () => {
    const child = start("end");
    expect(await child.line()).toBe("locked");
    expect(await child.ended).toBe(0);
    await (await locks.lock(directory)).release();
  });

  it("held here excludes other processes, which are told of us, until released", async () => {
    const lock = await locks.lock(directory);
    expect(await start("end").line()).toMatch(
      new RegExp(`^LOCKED ${process.pid} process ${process.pid} since`),
    );
    await lock.release();
    expect(await start("end").line()).toBe("locked");
  });

  it("is of the directory, not of the path that leads to it", async () => {
    const alias = `${directory}-alias`;
    nodeFs.symlinkSync(directory, alias);
    const lock = await locks.lock(directory);
    for (const path of [alias, `${directory}/`, `${directory}/../${directory.split("/").pop()}/.`]) {
      await expect(locks.lock(path)).rejects.toMatchObject({ code: "LOCKED" });
    }
    await lock.release();
    nodeFs.unlinkSync(alias);
  });

  it("stays in force when its note is removed or is somebody else's, and is still known to be its process's", async () => {
    const child = start("stay");
    expect(await child.line()).toBe("locked");
    const owner = `process ${child.pid}`;
    const note = join(directory, "LOCK");
    nodeFs.unlinkSync(note);
    await expect(locks.lock(directory)).rejects.toMatchObject({ code: "LOCKED", ownerPid: child.pid, owner });
    for (const text of [
      "\0garbage",
      // Of somebody who is gone, and of somebody who lives but does not hold the lock.
      `process 4194305 since 2026-01-01T00:00:00.000Z on ${hostname()}`,
      `process ${process.pid} since 2026-01-01T00:00:00.000Z on ${hostname()}`,
    ]) {
      nodeFs.writeFileSync(note, text);
      await expect(locks.lock(directory)).rejects.toMatchObject({ ownerPid: child.pid, owner });
    }
  });

  it("held by this very process says so", async () => {
    const lock = await locks.lock(directory);
    await expect(locks.lock(directory)).rejects.toMatchObject({
      ownerPid: process.pid,
      message: expect.stringContaining("by this very process"),
    });
    await lock.release();
  });

  it.each([
    ["EROFS", "READ_ONLY"],
    ["EACCES", "ACCESS_DENIED"],
  ])(
    "of a directory that cannot be written (%s) is refused with %s, and nothing stays locked",
    async (errno, code) => {
      const readOnly = {
        ...nodeFs,
        writeFileSync: () => {
          throw Object.assign(new Error(errno), { code: errno });
        },
      };
      await expect(systemDirectoryLocks(readOnly, mechanism).lock(directory)).rejects.toMatchObject({
        code,
        path: join(directory, "LOCK"),
        operation: "lockDirectory",
      });
      await (await locks.lock(directory)).release();
    },
  );

  it("is released even when the directory is gone", async () => {
    const lock = await locks.lock(directory);
    nodeFs.rmSync(directory, { recursive: true });
    await lock.release();
  });
});

test.runIf(process.platform === "linux")(
  "the name of the lock fills its address, so that no version of libuv can add to it",
  async () => {
    const lock = await systemDirectoryLocks(nodeFs).lock(directory);
    const own = nodeFs.readdirSync("/proc/self/fd").flatMap((descriptor) => {
      const link = `/proc/self/fd/${descriptor}`;
      return nodeFs.existsSync(link) ? (/^socket:\[(\d+)\]$/.exec(nodeFs.readlinkSync(link))?.[1] ?? []) : [];
    });
    const names = nodeFs
      .readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .map((line) => line.split(/\s+/))
      .filter(([, , , , , , inode, path]) => own.includes(inode ?? "") && path?.startsWith("@stillwater-"))
      .map((columns) => columns[7]);
    await lock.release();
    // "@" stands for the first zero; with 108 bytes there is no room for another.
    expect(names).toEqual([expect.stringMatching(/^@stillwater-[0-9a-f]{96}$/)]);
  },
);

describe("the error for a taken lock of which the system does not tell the holder", () => {
  const noteOf = (pid: number, host = hostname()): void =>
    nodeFs.writeFileSync(
      join(directory, "LOCK"),
      `process ${pid} since 2026-01-01T00:00:00.000Z on ${host}\n`,
    );

  it("names the process of the note while it lives on this machine, and nobody otherwise", () => {
    noteOf(process.pid);
    expect(lockedError(nodeFs, directory, null)).toMatchObject({ ownerPid: process.pid });
    for (const [pid, host] of [
      [4_194_305, hostname()],
      [process.pid, "elsewhere"],
    ] as const) {
      noteOf(pid, host);
      expect(lockedError(nodeFs, directory, null)).toMatchObject({
        owner: "another process",
        ownerPid: undefined,
      });
    }
  });
});

describe("on Linux and Windows", () => {
  it("workers of one node:cluster exclude each other", async () => {
    const script = platform.module(
      "cluster.js",
      `import cluster from "node:cluster";
       import * as fs from "node:fs";
       import { systemDirectoryLocks } from ${JSON.stringify(platform.url("node/directory-lock.js"))};
       const directory = process.argv[2];
       if (cluster.isPrimary) {
         const answers = [];
         for (let i = 0; i < 2; i++) {
           cluster.fork().on("message", (answer) => {
             answers.push(answer);
             if (answers.length < 2) return;
             console.log(answers.sort().join(" "));
             process.exit();
           });
         }
       } else {
         systemDirectoryLocks(fs).lock(directory).then(
           () => process.send("locked"),
           (error) => process.send(error.code),
         );
       }`,
    );
    const child = runChild(script, directory);
    children.push(child);
    expect(await child.line()).toBe("LOCKED locked");
  });
});

describe("a claim", () => {
  const dead: ProcessProbe = { exists: (pid) => pid === process.pid, startOf: (pid) => `start of ${pid}` };
  const nonce = "0123456789abcdef";

  it("of a process that is gone is removed and does not count", async () => {
    plant(`LOCK.999999.${nonce}.${nonce}`);
    plant(`LOCK.999998.unknown.${nonce}`);
    const lock = claimDirectory(nodeFs, directory, dead);
    expect(claims()).toHaveLength(1);
    await lock.release();
    expect(claims()).toEqual([]);
  });

  it("of a process whose number another one bears now does not count", async () => {
    plant(`LOCK.${process.pid}.${nonce}.${nonce}`);
    await claimDirectory(nodeFs, directory, dead).release();
    expect(claims()).toEqual([]);
  });

  it("in doubt counts", () => {
    plant(`LOCK.${process.pid}.unknown.${nonce}`);
    expect(() => claimDirectory(nodeFs, directory, dead)).toThrow(StillwaterError);
    const blind: ProcessProbe = { exists: () => true, startOf: () => "" };
    plant(`LOCK.999999.${nonce}.${nonce}`);
    expect(() => claimDirectory(nodeFs, directory, blind)).toThrow(
      expect.objectContaining({ code: "LOCKED", path: directory }),
    );
    expect(claims()).toHaveLength(2);
  });

  it("that appears between our look and our claim makes us give way", () => {
    const rival = `LOCK.999999.${nonce}.${nonce}`;
    const alive: ProcessProbe = { exists: () => true, startOf: () => "" };
    const racing = {
      ...nodeFs,
      openSync: (path: string, flags: number, mode?: number) => {
        plant(rival);
        return nodeFs.openSync(path, flags, mode);
      },
    };
    expect(() => claimDirectory(racing, directory, alive)).toThrow(
      expect.objectContaining({ code: "LOCKED" }),
    );
    expect(claims()).toEqual([rival]);
  });

  it("is not read into files that merely look like one", async () => {
    for (const name of ["LOCK.1", "LOCK.x.y.z", `LOCK.1.${nonce}`, "000001.sst"]) plant(name);
    const everyone: ProcessProbe = { exists: () => true, startOf: () => "" };
    await claimDirectory(nodeFs, directory, everyone).release();
    expect(claims()).toHaveLength(4);
  });
});

function plant(name: string): void {
  nodeFs.writeFileSync(join(directory, name), "");
}

function claims(): string[] {
  return nodeFs.readdirSync(directory);
}
