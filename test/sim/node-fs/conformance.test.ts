/**
 * The simulated `node:fs` answers as the real one does on this machine: the same cases run over both and their answers,
 * error codes and messages are compared. Verified for Linux; permission bits and the order of `opendir` are not compared.
 */
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import type { SimulatedFS } from "../../../sim/node-fs/node-fs.js";
import { attempt, attemptLater, bothFileSystems, codeOnly, factsOf, type Say } from "./both.js";

/** `at` makes a path in the folder. */
type Case = (fs: SimulatedFS, at: (name: string) => string, say: Say) => unknown;

const both = bothFileSystems();
afterAll(() => both.remove());

const CASES: Readonly<Record<string, Case>> = {
  "whole files, in all encodings and flags": (fs, at, say) => {
    fs.writeFileSync(at("a"), "häl-lo");
    say(fs.readFileSync(at("a")).toString("hex"));
    for (const encoding of ["utf8", "hex", "base64", "latin1"] as const)
      say(fs.readFileSync(at("a"), encoding));
    fs.appendFileSync(at("a"), Buffer.from([1, 2]));
    fs.writeFileSync(at("a"), new Uint16Array([258]), { flag: "a", flush: true });
    fs.writeFileSync(at("b"), "616263", "hex");
    say([fs.readFileSync(at("a"), "hex"), fs.readFileSync(at("b"), { encoding: "utf8" })]);
    for (const flag of ["wx", "ax", "r+", "xa", "q"])
      attempt(say, () => fs.writeFileSync(at("a"), "Z", { flag }));
    attempt(say, () => fs.writeFileSync(at("new"), "x", { flag: "r+" }));
    attempt(say, () => fs.readFileSync(at("c"), { flag: "a+" }).length);
    attempt(say, () => fs.readFileSync(at("a"), "no-such-encoding" as "utf8"));
    attempt(say, () => fs.writeFileSync(at("a"), {} as string));
    attempt(say, () => fs.readFileSync(at(".")));
    attempt(say, () => fs.readFileSync(at("a\u0000b")));
    attempt(say, () => fs.writeFileSync(at("."), "x"));
    attempt(say, () => fs.writeFileSync(at("a/b"), "x"));
  },
  "descriptors: cursor, positions, append, access modes": (fs, at, say) => {
    const fd = fs.openSync(at("f"), "w+");
    say([fs.writeSync(fd, "hello"), fs.writeSync(fd, Buffer.from("world"), 1, 3), fs.writeSync(fd, "X", 0)]);
    const target = Buffer.alloc(6);
    say([fs.readSync(fd, target), fs.readSync(fd, target, 0, 6, 1), target.toString()]);
    say([fs.readSync(fd, target, { position: 6, length: 2, offset: 1 }), target.toString()]);
    fs.writeSync(fd, "end", 12);
    fs.ftruncateSync(fd, 14);
    say(fs.readFileSync(at("f"), "hex"));
    say([
      fs.writevSync(fd, [Buffer.from("12"), Buffer.from("3")], 2),
      fs.readvSync(fd, [target], 1),
      target.toString(),
    ]);
    fs.closeSync(fd);
    attempt(say, () => fs.closeSync(fd));
    attempt(say, () => fs.writeSync(fd, "x"));
    const append = fs.openSync(at("f"), "a+");
    say([fs.writeSync(append, "tail", 0), fs.readSync(append, target, 0, 6, 0), target.toString()]);
    say(fs.readFileSync(at("f"), "latin1"));
    const reader = fs.openSync(at("f"), "r");
    attempt(say, () => fs.writeSync(reader, "x"));
    attempt(say, () => fs.ftruncateSync(reader, 0));
    const writer = fs.openSync(at("f"), "r+");
    say(fs.readFileSync(writer, "utf8").length);
    say(fs.readFileSync(writer, "utf8"));
    fs.writeFileSync(writer, "behind");
    say(fs.readFileSync(at("f"), "latin1").length);
    const only = fs.openSync(at("f"), "w");
    attempt(say, () => fs.readSync(only, target));
    attempt(say, () => fs.readSync(only, target, 0, 7, 0));
    attempt(say, () => fs.readSync(-1, target));
    attempt(say, () => fs.readSync("1" as unknown as number, target));
    const folder = fs.openSync(at("."), "r");
    attempt(say, () => fs.readSync(folder, target));
    attempt(say, () => fs.writeSync(folder, "x"));
    attempt(say, () => fs.ftruncateSync(folder, 0));
    attempt(say, () => fs.fsyncSync(folder));
    for (const open of [append, reader, writer, only, folder]) fs.closeSync(open);
    attempt(say, () => fs.openSync(at("f"), fs.constants.O_DIRECTORY));
    attempt(say, () => fs.openSync(at("."), "w"));
    attempt(say, () => fs.openSync(at("nope/x"), "w"));
    attempt(say, () => fs.openSync(at("f/"), "r"));
    attempt(say, () => fs.openSync(at("g/"), "w"));
    attempt(say, () => fs.openSync("", "r"));
    attempt(say, () => fs.openSync(7 as unknown as string, "r"));
    attempt(say, () => fs.truncateSync(at("f"), 3));
    attempt(say, () => fs.truncateSync(at("nope")));
    say(fs.statSync(at("f")).size);
  },
  "a removed file lives on while it is open": (fs, at, say) => {
    const fd = fs.openSync(at("f"), "w+");
    fs.writeSync(fd, "still");
    fs.unlinkSync(at("f"));
    say([fs.existsSync(at("f")), fs.fstatSync(fd).nlink, fs.readFileSync(fd, "utf8")]);
  },
  directories: (fs, at, say) => {
    attempt(say, () => fs.mkdirSync(at("d/e/f")));
    attempt(say, () => fs.mkdirSync(at("d/e/f"), { recursive: true }));
    attempt(say, () => fs.mkdirSync(at("d/e/f"), { recursive: true }));
    attempt(say, () => fs.mkdirSync(at("d/e/../g/"), { recursive: true }));
    attempt(say, () => fs.mkdirSync(at("d")));
    fs.writeFileSync(at("d/file"), "");
    attempt(say, () => fs.mkdirSync(at("d/file"), { recursive: true }));
    attempt(say, () => fs.mkdirSync(at("d/file/x"), { recursive: true }));
    attempt(say, () => fs.mkdirSync(at("d/file/x/y"), { recursive: true }));
    attempt(say, () => fs.mkdirSync(at("d/file/x")));
    say(fs.readdirSync(at("d")));
    say(fs.readdirSync(at("."), { recursive: true }).sort());
    const entries = fs.readdirSync(at("d"), { withFileTypes: true });
    say(entries.map((one) => [one.name, one.isFile(), one.isDirectory(), one.parentPath === at("d")]));
    say(fs.readdirSync(at("d"), "buffer").map((name) => name.toString("hex")));
    for (const name of ["d", "d/file", "nope", ".", "d/."]) attempt(say, () => fs.rmdirSync(at(name)));
    attempt(say, () => fs.readdirSync(at("d/file")));
    attempt(say, () => fs.readdirSync(at("nope")));
    attempt(say, () => fs.rmdirSync(at("d/e/f")));
    attempt(say, () => fs.unlinkSync(at("d/e")));
    attempt(say, () => fs.rmSync(at("d")));
    attempt(say, () => fs.rmSync(at("nope")));
    attempt(say, () => fs.rmSync(at("nope"), { force: true }));
    attempt(say, () => fs.rmSync(at("d/file/x"), { force: true }));
    attempt(say, () => fs.rmSync(at("d"), { recursive: true }));
    attempt(say, () => fs.mkdtempSync(at("no/such-")));
    say(/\/tmp-[A-Za-z0-9]{6}$/.test(fs.mkdtempSync(at("tmp-"))));
    const opened = fs.opendirSync(at("."));
    say(opened.readSync()?.name.slice(0, 4));
    say(opened.readSync());
    opened.closeSync();
    attempt(say, () => opened.readSync());
  },
  "rename, link, symlink": (fs, at, say) => {
    fs.writeFileSync(at("a"), "a");
    fs.mkdirSync(at("d"));
    fs.mkdirSync(at("full/inner"), { recursive: true });
    for (const [from, to] of [
      ["a", "d"],
      ["d", "a"],
      ["nope", "x"],
      ["nope", "no/x"],
      ["d", "full"],
      ["full", "full/inner/x"],
      ["d", "d2"],
      ["d2", "d"],
      ["a", "a"],
      ["a", "b/"],
      ["a/", "b"],
      ["a", "b"],
      ["b", "a"],
      ["", "x"],
      ["a", ""],
    ] as const) {
      attempt(say, () => fs.renameSync(from && at(from), to && at(to)));
    }
    attempt(say, () => fs.linkSync(at("a"), at("hard")));
    attempt(say, () => fs.linkSync(at("a"), at("hard")));
    attempt(say, () => fs.linkSync(at("d"), at("dd")));
    attempt(say, () => fs.linkSync(at("nope"), at("x")));
    fs.appendFileSync(at("hard"), "+");
    say([
      fs.readFileSync(at("a"), "utf8"),
      fs.statSync(at("a")).nlink,
      fs.statSync(at("a")).ino === fs.statSync(at("hard")).ino,
    ]);
    fs.symlinkSync("a", at("soft"));
    fs.symlinkSync("full", at("way"));
    fs.symlinkSync("loop", at("loop"));
    fs.symlinkSync("missing", at("dangling"));
    attempt(say, () => fs.symlinkSync("x", at("a")));
    say([fs.readFileSync(at("soft"), "utf8"), fs.readlinkSync(at("soft")), fs.existsSync(at("way/inner"))]);
    say([
      fs.lstatSync(at("soft")).isSymbolicLink(),
      fs.lstatSync(at("soft")).size,
      fs.statSync(at("soft")).isFile(),
    ]);
    for (const name of ["loop", "dangling", "soft/x", "way/nope", "soft/"])
      attempt(say, () => fs.statSync(at(name)).size);
    attempt(say, () => fs.readlinkSync(at("a")));
    attempt(say, () => fs.realpathSync(at("way/inner/../inner")).slice(at("").length));
    attempt(say, () => fs.realpathSync.native(at("soft")).slice(at("").length));
    attempt(say, () => fs.writeFileSync(at("dangling"), "made"));
    say(fs.readFileSync(at("missing"), "utf8"));
    attempt(say, () => fs.openSync(at("soft"), "wx"));
    attempt(say, () => fs.openSync(at("soft"), fs.constants.O_NOFOLLOW));
    attempt(say, () => fs.rmSync(at("way")));
    attempt(say, () => fs.rmSync(at("full"), { recursive: true }));
    say(fs.readdirSync(at(".")));
  },
  "stat, access, modes, times": (fs, at, say) => {
    fs.writeFileSync(at("f"), "12345", { mode: 0o640 });
    const facts = (name: string) => {
      const stats = fs.statSync(at(name));
      return [
        stats.isFile(),
        stats.isDirectory(),
        (stats.mode & 0o7777).toString(8),
        stats.isFile() ? stats.size : 0,
      ];
    };
    say(facts("f"));
    fs.chmodSync(at("f"), "755");
    say(facts("f"));
    say(facts("."));
    fs.utimesSync(at("f"), 1000, new Date(2_000_500));
    const stats = fs.statSync(at("f"));
    say([stats.atimeMs, stats.mtimeMs, stats.mtime.toISOString(), stats instanceof fs.Stats]);
    const big = fs.statSync(at("f"), { bigint: true });
    say([big.size, big.mtimeMs, big.mtimeNs, typeof big.ino].map(String));
    say([fs.statSync(at("nope"), { throwIfNoEntry: false }) === undefined]);
    attempt(say, () => fs.statSync(at("nope")));
    attempt(say, () => fs.lstatSync(at("nope")));
    attempt(say, () => fs.accessSync(at("nope")));
    attempt(say, () => fs.accessSync(at("f"), fs.constants.X_OK));
    fs.chmodSync(at("f"), 0o600);
    attempt(say, () => fs.accessSync(at("f"), fs.constants.X_OK));
    attempt(say, () => fs.chmodSync(at("nope"), 0o600));
    attempt(say, () => fs.utimesSync(at("nope"), 1, 1));
    attempt(say, () => fs.statSync(at("x".repeat(300))));
    say([fs.existsSync(at("f")), fs.existsSync(at("f/")), fs.existsSync("")]);
  },
  copies: (fs, at, say) => {
    fs.writeFileSync(at("a"), "content");
    fs.mkdirSync(at("tree/inner"), { recursive: true });
    fs.writeFileSync(at("tree/inner/leaf"), "leaf");
    for (const [from, to, mode] of [
      ["a", "b", 0],
      ["a", "b", fs.constants.COPYFILE_EXCL],
      ["nope", "c", 0],
      ["a", "tree", 0],
      ["tree", "c", 0],
      ["a", "no/c", 0],
      ["a", "a", 0],
    ] as const) {
      attempt(say, () => fs.copyFileSync(at(from), at(to), mode));
    }
    say([fs.readFileSync(at("b"), "utf8"), fs.readFileSync(at("a"), "utf8")]);
    attempt(say, () => fs.cpSync(at("tree"), at("copy"), { recursive: true }));
    say(fs.readFileSync(at("copy/inner/leaf"), "utf8"));
    attempt(say, () => codeOnly(() => fs.cpSync(at("tree"), at("other"))));
  },
  "promises and file handles": async (fs, at, say) => {
    const { promises } = fs;
    await promises.writeFile(at("f"), ["one\n", "two\n"]);
    await promises.appendFile(at("f"), "three");
    say(await promises.readFile(at("f"), "utf8"));
    const handle = await promises.open(at("f"), "r+");
    say(await handle.readFile("utf8"));
    const target = Buffer.alloc(4);
    const { bytesRead, buffer } = await handle.read(target, 0, 4, 4);
    say([bytesRead, buffer.toString(), (await handle.read({ position: 0 })).bytesRead]);
    say((await handle.write("TWO", 4)).bytesWritten);
    say((await handle.write(Buffer.from("xyz"), 1, 1, 0)).bytesWritten);
    say([
      (await handle.writev([Buffer.from("1"), Buffer.from("2")], 1)).bytesWritten,
      (await handle.stat()).size,
    ]);
    await handle.truncate(9);
    await handle.sync();
    await handle.datasync();
    await handle.chmod(0o600);
    await handle.utimes(1, 2);
    say([(await handle.stat()).mtimeMs, (await promises.stat(at("f"))).mode & 0o777]);
    await handle.close();
    await handle.close();
    await attemptLater(say, () => handle.stat());
    const lines: string[] = [];
    for await (const line of (await promises.open(at("f"))).readLines()) lines.push(line);
    say(lines);
    const whole = await promises.open(at("g"), "w");
    await whole.writeFile("whole");
    await promises.appendFile(whole, "+");
    await whole.appendFile("more", { encoding: "utf8" });
    await whole[Symbol.asyncDispose]();
    say(await promises.readFile(at("g"), { encoding: "utf8" }));
    for (const call of [
      () => promises.open(at("nope")),
      () => promises.readFile(at("nope")),
      () => promises.readFile(at(".")),
      () => promises.rename(at("nope"), at("x")),
      () => promises.rm(at("nope")),
      () => promises.access(at("nope")),
      () => promises.mkdir(at("f")),
      () => promises.readdir(at("f")),
      () => promises.stat(7 as unknown as string),
      () => promises.readFile(at("f"), { signal: AbortSignal.abort() }),
      () => promises.unlink(at("nope")),
      () => promises.mkdir(at("x/y"), { recursive: true }).then((made) => made?.slice(at("").length)),
      () => promises.copyFile(at("f"), at("copy")),
      () => promises.link(at("f"), at("hard")),
      () => promises.truncate(at("f"), 1),
      () => promises.realpath(at("x/../f")),
      () => promises.readdir(at(".")),
    ]) {
      await attemptLater(say, call);
    }
    const names: string[] = [];
    for await (const entry of await promises.opendir(at("."))) names.push(entry.name);
    say(names.sort());
  },
  callbacks: async (fs, at, say) => {
    const later = (call: (callback: (...answers: unknown[]) => void) => void) =>
      new Promise<void>((resolve) => {
        call((error, ...values) => {
          say(
            error instanceof Error
              ? factsOf(error)
              : [
                  error ?? null,
                  ...values.map((value) => (Buffer.isBuffer(value) ? value.toString() : value)),
                ],
          );
          resolve();
        });
      });
    await later((done) => fs.writeFile(at("f"), "callback", done));
    await later((done) => fs.readFile(at("f"), "utf8", done));
    await later((done) => fs.readFile(at("nope"), done));
    await later((done) => fs.access(at("f"), done));
    await later((done) => fs.mkdir(at("d"), { recursive: false }, done));
    await later((done) => fs.readdir(at("."), done));
    await later((done) => fs.exists(at("f"), done));
    await later((done) => fs.rename(at("f"), at("g"), done));
    await later((done) => fs.rm(at("g"), done));
    await later((done) => fs.rmdir(at("d"), done));
    attempt(say, () => fs.readFile(at("f"), undefined as unknown as () => void));
    attempt(say, () => fs.open(7 as unknown as string, () => undefined));
    const fd = fs.openSync(at("h"), "w+");
    await later((done) => fs.write(fd, "text", done));
    await later((done) => fs.write(fd, Buffer.from("bytes"), 0, 5, 0, done));
    await later((done) => fs.read(fd, Buffer.alloc(3), 0, 3, 1, done));
    await later((done) => fs.read(fd, { buffer: Buffer.alloc(2), position: 0 }, done));
    await later((done) => fs.fsync(fd, done));
    await later((done) => fs.close(fd, done));
    await later((done) => fs.close(fd, done));
    say((await promisify(fs.readFile)(at("h"))).toString());
    say(await promisify(fs.exists)(at("h")));
  },
  streams: async (fs, at, say) => {
    const finished = (stream: NodeJS.EventEmitter) =>
      new Promise((resolve) =>
        stream.once("close", resolve).once("error", (error) => resolve(factsOf(error))),
      );
    const out = fs.createWriteStream(at("f"), { encoding: "utf8", flush: true } as object);
    out.write("first ");
    out.write("second ");
    out.end("third");
    await finished(out);
    say([out.bytesWritten, fs.readFileSync(at("f"), "utf8")]);
    const more = fs.createWriteStream(at("f"), { flags: "r+", start: 6 });
    more.end("SECOND");
    await finished(more);
    say(await text(fs.createReadStream(at("f"))));
    say(await text(fs.createReadStream(at("f"), { start: 6, end: 11, highWaterMark: 2 })));
    say(await finished(fs.createReadStream(at("nope"))));
    say(await finished(fs.createWriteStream(at("no/file"))));
    const handle = await fs.promises.open(at("f"), "a");
    const appending = handle.createWriteStream();
    appending.end(" fourth");
    await finished(appending);
    say([handle.fd, await text((await fs.promises.open(at("f"))).createReadStream({ encoding: "utf8" }))]);
  },
};

describe("node:fs over a simulated disk answers as the real one", () => {
  let folders = 0;
  for (const [name, run] of Object.entries(CASES)) {
    it(name, async () => {
      const folder = `${both.root}/${++folders}`;
      const answers = [];
      for (const fs of [both.real, both.simulated]) {
        fs.mkdirSync(folder);
        const said: unknown[] = [];
        await run(
          fs,
          (inner) => (inner === "" ? folder : `${folder}/${inner}`),
          (answer) => said.push(answer),
        );
        answers.push(said);
      }
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[0]?.length).toBeGreaterThan(0);
    });
  }
});
