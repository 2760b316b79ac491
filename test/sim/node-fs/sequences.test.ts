/**
 * Any sequence of calls of `node:fs` leaves the same tree on a simulated disk as on the real one, with the same answers
 * on the way. Verified for paths, links, descriptors and whole files; not for calls in
 * flight together, nor for links before a final slash (a few plain ones are in `conformance.test.ts`).
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { SimulatedFS } from "../../../sim/node-fs/node-fs.js";
import { bothFileSystems, factsOf } from "./both.js";

const name = fc.constantFrom("a", "b", "d", "d/a", "d/e", "d/e/x", "l", "l/a", "a/..", "./b");
const plain = fc.constantFrom("a", "b", "d", "d/a", "d/e", "d/e/x", "l", "l/a");
const text = fc.constantFrom("", "x", "longer text", "y".repeat(5000));
const flag = fc.constantFrom("w", "a", "r+", "wx", "ax", "w+");
const size = fc.integer({ min: 0, max: 9000 });

const call = fc.oneof(
  fc.record({ kind: fc.constant("write" as const), name, text, flag }),
  fc.record({ kind: fc.constant("mkdir" as const), name, recursive: fc.boolean() }),
  fc.record({ kind: fc.constantFrom("unlink", "rmdir", "readdir", "realpath", "read", "close"), name }),
  fc.record({ kind: fc.constant("rm" as const), name: plain, recursive: fc.boolean(), force: fc.boolean() }),
  fc.record({ kind: fc.constantFrom("rename", "link", "symlink", "copyFile"), name, to: name }),
  fc.record({ kind: fc.constant("truncate" as const), name, size }),
  fc.record({ kind: fc.constant("open" as const), name, flag }),
  fc.record({ kind: fc.constant("pwrite" as const), text, position: fc.option(size) }),
);
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

it("any sequence of calls gives the same answers and the same tree", () => {
  const both = bothFileSystems();
  let runs = 0;
  try {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 25, size: "max" }), (calls) => {
        const folder = `${both.root}/${++runs}`;
        const [real, simulated] = [both.real, both.simulated].map((fs) => run(fs, folder, calls));
        expect(simulated).toEqual(real);
      }),
      { numRuns: 150 },
    );
  } finally {
    both.remove();
  }
});

function run(fs: SimulatedFS, folder: string, calls: readonly Call[]): unknown[] {
  fs.mkdirSync(folder);
  const open: number[] = [];
  const answers = calls.map((one) => {
    try {
      return perform(fs, folder, one, open);
    } catch (error) {
      return factsOf(error);
    }
  });
  for (const fd of open) fs.closeSync(fd);
  return [...answers, treeOf(fs, folder)];
}

function perform(fs: SimulatedFS, folder: string, one: Call, open: number[]): unknown {
  const at = "name" in one ? `${folder}/${one.name}` : folder;
  switch (one.kind) {
    case "write":
      return fs.writeFileSync(at, one.text, { flag: one.flag });
    case "mkdir":
      return fs.mkdirSync(at, { recursive: one.recursive });
    case "rm":
      return remove(fs, at, one);
    case "truncate":
      return fs.truncateSync(at, one.size);
    case "open":
      return void open.push(fs.openSync(at, one.flag));
    case "pwrite":
      return open.length === 0 ? null : fs.writeSync(open[0] as number, one.text, one.position);
    case "close":
      return open.length === 0 ? null : fs.closeSync(open.pop() as number);
    case "unlink":
      return fs.unlinkSync(at);
    case "rmdir":
      return fs.rmdirSync(at);
    case "readdir":
      return fs.readdirSync(at);
    case "realpath":
      return fs.realpathSync.native(at);
    case "read":
      return fs.readFileSync(at, "utf8");
    case "symlink":
      return fs.symlinkSync("to" in one ? one.to : "", at);
    case "rename":
      return fs.renameSync(at, `${folder}/${"to" in one ? one.to : ""}`);
    case "link":
      return fs.linkSync(at, `${folder}/${"to" in one ? one.to : ""}`);
    default:
      return fs.copyFileSync(at, `${folder}/${"to" in one ? one.to : ""}`);
  }
}

/** Node 20 is not of one mind about `rm` where there is no way: it fails or not, with codes of its own. */
function remove(
  fs: SimulatedFS,
  at: string,
  options: { readonly recursive: boolean; readonly force: boolean },
) {
  try {
    fs.rmSync(at, { recursive: options.recursive, force: options.force });
  } catch (error) {
    if (!["ENOTDIR", "ELOOP", ""].includes((error as NodeJS.ErrnoException).code ?? "?")) throw error;
  }
}

/** Names, kinds, sizes, numbers of links and contents, below a folder. */
function treeOf(fs: SimulatedFS, folder: string): unknown {
  return fs.readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return [entry.name, fs.lstatSync(path).nlink, treeOf(fs, path)];
    if (entry.isSymbolicLink()) return [entry.name, fs.readlinkSync(path)];
    return [entry.name, fs.statSync(path).size, fs.statSync(path).nlink, fs.readFileSync(path, "latin1")];
  });
}
