/**
 * Which file system a call of `node:fs` goes to. What lies in the mounted directory is simulated; everything else is
 * read through to the real one, and writing there is refused, unless allowed. Decided by the text of the path, resolved
 * against the working directory: a link elsewhere that leads into the mounted directory is not followed.
 * `node_modules` and `.git` below the mounted directory stay real. Does not own: either file system.
 */
import realFS from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { FIRST_DESCRIPTOR } from "../node-fs/descriptors.js";
import { SimulatedFileHandle } from "../node-fs/file-handle.js";
import type { SimulatedFS } from "../node-fs/node-fs.js";
import { nodeError } from "../node-fs/system-error.js";

type Loose = (...parameters: unknown[]) => unknown;
type Forms = Record<string, unknown>;
type Form = "sync" | "callback" | "promise";
type Side = "simulated" | "real" | "unknown";

export interface RouterOptions {
  /** Absolute. */
  readonly mount: string;
  readonly allowWrite: boolean;
  /** The file system of the process that lives now. */
  readonly current: () => SimulatedFS;
}

const READS =
  "access exists lstat stat readdir readFile readlink realpath opendir createReadStream statfs watch watchFile unwatchFile openAsBlob";
const WRITES =
  "appendFile chmod chown lchmod lchown lutimes mkdir mkdtemp rm rmdir truncate unlink utimes writeFile createWriteStream";
const DESCRIPTORS = "close fchmod fchown fdatasync fstat fsync ftruncate futimes read readv write writev";
const PAIRS = "copyFile cp link rename symlink";

/** Names of directories that stay real wherever they are. */
export const NEVER_SIMULATED: ReadonlySet<string> = new Set(["node_modules", ".git"]);

let bypassed = 0;

/**
 * Runs something on the real file system, whatever the path. Needed although the real functions were kept: Node's own
 * code calls some of them through the exports, which are replaced.
 */
export function onRealFiles<T>(work: () => T): T {
  bypassed++;
  try {
    return work();
  } finally {
    bypassed--;
  }
}

export class Router {
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Every function of `fs` or `fs.promises` that must be replaced, made from the real ones. */
  functions(real: Forms, promises: boolean): Forms {
    const replaced: Forms = {};
    const replace = (names: string, route: (name: string, given: unknown[]) => Route): void => {
      for (const base of names.split(" ")) {
        for (const name of promises ? [base] : [base, `${base}Sync`]) {
          const original = real[name];
          if (typeof original !== "function") continue;
          const form: Form = promises ? "promise" : name.endsWith("Sync") ? "sync" : "callback";
          replaced[name] = this.#routed(name, base, form, original as Loose, route);
        }
      }
    };
    replace(READS, (_, [path]) => ({ side: this.sideOf(path), writes: false }));
    replace(WRITES, (_, [path]) => ({ side: this.sideOf(path), writes: true }));
    replace(DESCRIPTORS, (_, [fd]) => ({ side: this.sideOf(fd), writes: false }));
    replace("open", (_, [path, flags]) => ({ side: this.sideOf(path), writes: opensForWriting(flags) }));
    replace(PAIRS, (name, given) => this.#routePair(name, given));
    for (const name of ["realpath", "realpathSync"]) {
      const [made, original] = [replaced[name] as Forms | undefined, real[name] as Forms | undefined];
      if (made !== undefined && original?.["native"] !== undefined) made["native"] = replaced[name];
    }
    return replaced;
  }

  sideOf(subject: unknown): Side {
    if (subject instanceof SimulatedFileHandle) return "simulated";
    if (typeof subject === "number") return subject >= FIRST_DESCRIPTOR ? "simulated" : "real";
    const path = textOf(subject);
    if (path === null) return "unknown";
    const absolute = resolve(path);
    const { mount } = this.#options;
    if (absolute !== mount && !absolute.startsWith(mount === "/" ? mount : `${mount}/`)) return "real";
    return absolute
      .slice(mount.length)
      .split("/")
      .some((part) => NEVER_SIMULATED.has(part))
      ? "real"
      : "simulated";
  }

  #routed(
    name: string,
    base: string,
    form: Form,
    original: Loose,
    route: (name: string, given: unknown[]) => Route,
  ): Loose {
    const routed = (...given: unknown[]): unknown => {
      if (bypassed > 0) return original(...given);
      const { side, writes, error } = route(base, given);
      if (error !== undefined) return fail(form, error, given);
      if (side === "simulated") return this.#simulated(name, form)(...given);
      if (side === "unknown" || !writes || this.#mayWrite(given[0])) return original(...given);
      const path = textOf(given[0]) ?? String(given[0]);
      if (base === "createWriteStream") throw this.#refusal("open", path);
      return fail(
        form,
        this.#refusal(base === "writeFile" || base === "appendFile" ? "open" : base, path),
        given,
      );
    };
    return Object.defineProperty(routed, "name", { value: name });
  }

  #simulated(name: string, form: Form): Loose {
    const fs = this.#options.current();
    const forms = (form === "promise" ? fs.promises : fs) as unknown as Forms;
    const call = forms[name];
    if (typeof call !== "function") throw nodeError("ENOSYS", name);
    return call as Loose;
  }

  #routePair(name: string, [from, to]: unknown[]): Route {
    const [source, target] = [this.sideOf(from), this.sideOf(to)];
    // The target of a symbolic link is only a text.
    if (name === "symlink") {
      return target === "real"
        ? { side: "real", writes: true, ...this.#refuseIn(name, to) }
        : { side: target, writes: true };
    }
    if (source === target)
      return { side: source, writes: true, ...(target === "real" ? this.#refuseIn(name, to) : {}) };
    if (source === "unknown" || target === "unknown") return { side: "real", writes: false };
    const [fromText, toText] = [textOf(from) ?? "", textOf(to) ?? ""];
    const remark = "stillwater: one of the two lies outside of the mounted directory";
    const code = name === "copyFile" || name === "cp" ? "ENOTSUP" : "EXDEV";
    return {
      side: "real",
      writes: true,
      error: nodeError(code, name.toLowerCase(), fromText, toText, remark),
    };
  }

  #refuseIn(name: string, subject: unknown): { readonly error?: Error } {
    return this.#mayWrite(subject) ? {} : { error: this.#refusal(name, textOf(subject) ?? "") };
  }

  #mayWrite(subject: unknown): boolean {
    if (this.#options.allowWrite || typeof subject !== "string") return this.#options.allowWrite;
    return resolve(subject).startsWith("/dev/");
  }

  #refusal(syscall: string, path: string): Error {
    const { mount } = this.#options;
    const remark = `stillwater: only ${mount} is simulated; nothing is written elsewhere. Use --mount DIR, or --allow-write`;
    return nodeError("EROFS", syscall, path, undefined, remark);
  }
}

interface Route {
  readonly side: Side;
  readonly writes: boolean;
  readonly error?: Error;
}

function opensForWriting(flags: unknown): boolean {
  if (typeof flags === "number") {
    const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = realFS.constants;
    return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)) !== 0;
  }
  return typeof flags === "string" && !["r", "rs", "sr"].includes(flags);
}

function textOf(subject: unknown): string | null {
  if (typeof subject === "string") return subject;
  if (Buffer.isBuffer(subject)) return subject.toString();
  return subject instanceof URL && subject.protocol === "file:" ? fileURLToPath(subject) : null;
}

function fail(form: Form, error: Error, given: readonly unknown[]): unknown {
  if (form === "sync") throw error;
  if (form === "promise") return Promise.reject(error);
  const callback = given.findLast((value) => typeof value === "function") as
    | ((error: Error) => void)
    | undefined;
  if (callback === undefined) throw error;
  setImmediate(() => callback(error));
  return undefined;
}
