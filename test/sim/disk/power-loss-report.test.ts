/** The report of a power loss: one item for each decision, under its address, with what and where it was. */
import { describe, expect, it } from "vitest";
import type { ChoiceLog } from "../../../sim/choices/choices.js";
import type { SettledItem } from "../../../sim/disk/power-loss-report.js";
import type { VFS } from "../../../src/platform/vfs.js";
import { durableFile, machine, put, TORN } from "./machine.js";

function report(life: (vfs: VFS) => void, crash: ChoiceLog["crash"], segment = ""): readonly SettledItem[] {
  const { disk, choices } = machine("1", TORN, { crash: crash ?? [] });
  if (segment !== "") choices.begin(segment);
  const reports: (readonly SettledItem[])[] = [];
  disk.onPowerLoss = ({ items }) => reports.push(items);
  life(disk.mount());
  disk.crash("power-loss");
  expect(reports.length).toBe(1);
  return reports[0] ?? [];
}

function replaceFile(vfs: VFS): void {
  vfs.makeDirectory("/d");
  vfs.syncDirectory("/");
  durableFile(vfs, "/d/a", "old");
  vfs.syncDirectory("/d");
  const file = vfs.createFile("/d/a.tmp");
  put(file, "x".repeat(5000));
  file.close();
  vfs.rename("/d/a.tmp", "/d/a");
}

const shown = (items: readonly SettledItem[]) => items.map(({ at, what, fate }) => [at, what, fate]);

describe("the report of a power loss", () => {
  it("lists names, sizes and pages in the order of their decisions, all kept by the empty log", () => {
    const items = report(replaceFile, [], "7!1");
    expect(shown(items)).toEqual([
      ["7!1:0", "create /d/a.tmp", "kept"],
      ["7!1:1", "rename /d/a.tmp -> /d/a", "kept"],
      ["7!1:2", "size 0 -> 5000 of /d/a", "kept"],
      ["7!1:3", "page [0, 4096) of /d/a", "kept"],
      ["7!1:4", "page [4096, 8192) of /d/a", "kept"],
    ]);
    expect(items[4]).toMatchObject({ kind: "page", path: "/d/a", offset: 4096, length: 4096 });
    expect(items[1]).toMatchObject({ kind: "name", path: "/d/a" });
  });

  it("says what an answer under that address did: lost, torn, an older state", () => {
    const twoVersions = (vfs: VFS) => {
      durableFile(vfs, "/a", "1");
      const file = vfs.openFile("/a", "readWrite");
      put(file, "22");
      put(file, "333");
    };
    const fates = (answer: number) => report(twoVersions, [[1, answer]]).map(({ fate }) => fate);
    expect(fates(0)).toEqual(["kept", "kept"]);
    expect(fates(1)).toEqual(["kept", "intermediate"]);
    expect(fates(2)).toEqual(["kept", "lost"]);
    expect(fates(3)).toEqual(["kept", "torn"]);
  });

  it("counts as lost what needs a lost name", () => {
    expect(report(replaceFile, [[0, 1]]).map(({ fate }) => fate)).toEqual([
      "lost",
      "lost",
      "kept",
      "kept",
      "kept",
    ]);
  });
});
