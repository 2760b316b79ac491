// What the modules of guides call where a comment promises something (`guide-modules.ts`): collects what is printed there, and
// writes it to the file that GUIDE_RESULT names when the process ends. Loaded with --import, before the module.
import { writeFileSync } from "node:fs";
import { format } from "node:util";

const printed = {};

function print(line, ...values) {
  printed[line] ??= [];
  printed[line].push(format(...values));
  console.log(...values);
}

globalThis.guide = {
  log:
    (line) =>
    (...values) =>
      print(line, ...values),
  value(line, value) {
    print(line, value);
    return value;
  },
  async throws(line, body) {
    let error;
    try {
      await body();
    } catch (thrown) {
      error = thrown;
    }
    const text =
      error === undefined ? "nothing was thrown" : `${error.code ?? ""} ${error.name}: ${error.message}`;
    printed[line] = [...(printed[line] ?? []), text];
  },
};

process.on("exit", () => writeFileSync(process.env.GUIDE_RESULT, JSON.stringify(printed)));
