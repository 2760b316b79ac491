// Puts the first version on the disk so that no crash can touch it: what a package does with it afterwards is its own.
import { closeSync, fsyncSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export function startWith(path, text) {
  writeFileSync(path, text, { flush: true });
  const directory = openSync(dirname(path), "r");
  fsyncSync(directory);
  closeSync(directory);
  console.log("ready");
}
