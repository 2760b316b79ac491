/**
 * The package as its users get it: packed from what `npm run build` left in dist, and what its entry points are. Owns how
 * npm is called. Nothing here looks at the sources.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly sideEffects: readonly string[];
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

export const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;

export interface EntryPoint {
  /** As it is imported: "stillwater/sim". */
  readonly specifier: string;
  /** Paths from the package's folder. */
  readonly script: string;
  readonly types: string;
}

/** Every entry point that is code; `./package.json` is none. */
export const entryPoints: readonly EntryPoint[] = Object.entries(manifest.exports).flatMap(
  ([name, target]) =>
    typeof target === "string"
      ? []
      : [{ specifier: `${manifest.name}${name.slice(1)}`, script: target.default, types: target.types }],
);

export interface Packed {
  /** Absolute. */
  readonly tarball: string;
  /** Bytes of the tarball. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number; readonly mode: number }[];
}

/** `npm pack` into a folder that exists. */
export function pack(folder: string): Packed {
  const output = npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], ROOT);
  const [packed] = JSON.parse(output) as (Omit<Packed, "tarball"> & { filename: string })[];
  if (packed === undefined) throw new Error(`npm pack said nothing: ${output}`);
  return { ...packed, tarball: join(folder, packed.filename) };
}

/** What npm prints to the standard output. Cached packages are taken as they are, the registry is asked for the others. */
export function npm(parameters: readonly string[], cwd: string): string {
  const isWindows = process.platform === "win32";
  return execFileSync(isWindows ? "npm.cmd" : "npm", [...parameters], {
    cwd,
    encoding: "utf8",
    shell: isWindows,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, npm_config_prefer_offline: "true", npm_config_update_notifier: "false" },
  });
}
