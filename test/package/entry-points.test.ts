/**
 * What each entry point loads: the store without the simulator and without its optional parts, the simulator without
 * them too, and no package that the manifest does not bring. Verifies by following the imports of the built modules;
 * `consumer.test.ts` looks at what a process has loaded in fact.
 */
import { describe, expect, test } from "vitest";
import { graphOf } from "./module-graph.js";
import { entryPoints, manifest } from "./packed.js";

/** Folders of src that only those pay for who ask for them. */
const OPTIONAL = ["admin", "backend", "cli", "level", "mcp", "otel"];

/** All that may be in the memory of somebody who imports `stillwater`. */
const CORE_PACKAGES = ["@noble/hashes", "@standard-schema/spec", "cborg"];

describe.each(entryPoints)("$specifier", ({ specifier, script, types }) => {
  const loaded = graphOf(script, "static");
  const asked = graphOf(script, "any");
  const typed = graphOf(types, "any");
  const isSimulator = /\/sim(\/|$)/.test(specifier);
  const own = script.replace(/^\.\//, "").split("/").slice(0, -1).join("/");

  test(isSimulator ? "loads no module of the store as published" : "loads no module of the simulator", () => {
    const foreign = isSimulator ? "dist/src/" : "dist/instrumented/";
    for (const { modules } of [loaded, asked, typed]) {
      expect(modules.filter((path) => path.startsWith(foreign))).toEqual([]);
    }
  });

  test("loads no optional part but itself", () => {
    const others = loaded.modules.filter((path) => {
      const [, folder] = /^dist\/(?:instrumented\/)?src\/(\w+)\//.exec(path) ?? [];
      return folder !== undefined && OPTIONAL.includes(folder) && !path.startsWith(`${own}/`);
    });
    expect(others).toEqual([]);
  });

  test("loads no package that is not a dependency or a peer", () => {
    const brought = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
    for (const { packages } of [loaded, asked, typed]) {
      expect(packages.filter((name) => !brought.includes(name))).toEqual([]);
    }
  });

  test("its types need no package but those it loads, @types/node, peers and the standard of schemas", () => {
    const peers = specifier === manifest.name ? [] : Object.keys(manifest.peerDependencies);
    const known = [...asked.packages, ...peers, "@standard-schema/spec"];
    expect(typed.packages.filter((name) => !known.includes(name))).toEqual([]);
  });
});

test("stillwater loads the packages of the core and no other, now or later", () => {
  const { packages } = graphOf("dist/src/index.js", "any");
  expect(packages.filter((name) => !CORE_PACKAGES.includes(name))).toEqual([]);
});

test("every peer is optional, for only its own entry point asks for it", () => {
  const names = Object.keys(manifest.peerDependencies);
  expect(names.filter((name) => manifest.peerDependenciesMeta[name]?.optional !== true)).toEqual([]);
});
