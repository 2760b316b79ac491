/**
 * Typed collections on a real data set: the characters of Unicode, as the ICU data inside Node has them (Unicode License). Loads them,
 * asks by indexes, keeps counts, migrates to a schema with one index more, which is built while somebody writes, and saves a unit of
 * work. Prints what it does. Its database is ./characters.db, or the directory given; --all takes every plane, not just the first
 * 12,288 code points.
 *
 *   node examples/characters.mjs [DIRECTORY] [--all]
 */
import { rmSync } from "node:fs";
import { collection, count, lightweight, openRecords, s, scalar, schema } from "stillwater";

const directory = process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? "./characters.db";
const END = process.argv.includes("--all") ? 0x110000 : 0x3000;
const CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf".split(
  " ",
);
const SCRIPTS =
  "Latin Greek Cyrillic Armenian Hebrew Arabic Devanagari Georgian Cherokee Hiragana Katakana Han Common".split(
    " ",
  );
const inCategory = CATEGORIES.map((name) => [name, new RegExp(`^\\p{${name}}$`, "u")]);
const inScript = SCRIPTS.map((name) => [name, new RegExp(`^\\p{Script=${name}}$`, "u")]);

function* characters() {
  for (let code = 0; code < END; code++) {
    if (code >= 0xd800 && code < 0xe000) continue; // halves of pairs are no characters
    const text = String.fromCodePoint(code);
    const category = inCategory.find(([, pattern]) => pattern.test(text))?.[0];
    if (category === undefined) continue; // not assigned
    const script = inScript.find(([, pattern]) => pattern.test(text))?.[0] ?? "Other";
    const upper = text.toUpperCase();
    const base = text.normalize("NFD").slice(0, text.codePointAt(0) > 0xffff ? 2 : 1);
    yield { code, text, category, script, base, ...(upper === text ? {} : { upper }) };
  }
}

const Character = {
  schema: s.object({
    code: s.integer(),
    text: s.string(),
    category: s.string(),
    script: s.string(),
    base: s.string(),
    upper: s.optional(s.string()),
  }),
  primaryKey: "code",
};
const indexes = [
  scalar("text", { unique: true }),
  scalar(["script", "category"], { name: "byScript" }),
  scalar("upper", { sparse: true }),
  count({ by: ["script"], name: "perScript" }),
];
const first = schema({ version: "1.0.0", collections: [collection("Character", { ...Character, indexes })] });

rmSync(directory, { recursive: true, force: true });
let total = 0;
{
  const store = await openRecords(directory, first);
  const all = store.collection("Character");
  let page = [];
  for (const one of characters()) {
    page.push(one);
    if (page.length < 500) continue;
    await all.putMany(page);
    page = [];
  }
  await all.putMany(page);
  total = await all.count();
  const letters = await all.byIndex("byScript", ["Greek", "Lu"], { limit: 24 });
  console.log(
    `${total > 5_000 ? "thousands of" : total} characters; Greek capitals begin ${letters.map(({ text }) => text).join("")}`,
  );
  const [omega] = await all.byIndex("Character_text", ["ω"]);
  console.log(`ω is U+0${omega.code.toString(16).toUpperCase()}, its capital ${omega.upper}`);
  const sharp = await all.byIndex("Character_upper", ["SS"]);
  console.log(`SS is the capital of ${sharp.map(({ text }) => text).join(", ")}`);
  const greek = await all.aggregate("perScript", ["Greek"]);
  const walked = (await all.byIndex("byScript", ["Greek"], { limit: 10_000 })).length;
  console.log(`the count index knows as many Greek characters as there are: ${greek === walked}`);

  // Nothing of a batch is applied when one part is refused.
  await store
    .batch([
      { type: "delete", collection: "Character", primaryKey: omega.code },
      { type: "put", collection: "Character", document: { ...omega, code: -1, text: "Ω" } },
    ])
    .catch(({ code, index, value }) => console.log(`${code}: ${index} has ${value} already`));
  console.log(`ω is still there: ${(await all.get(omega.code)) !== undefined}`);
  await store.close();
}

// The next version of the program has one index more. Opening it migrates: the index is built, and readable when it opens.
const second = schema({
  version: "1.1.0",
  collections: [
    collection("Character", { ...Character, indexes: [...indexes, scalar("base", { name: "byBase" })] }),
  ],
  migrations: [lightweight("1.0.0", "1.1.0")],
});
{
  const store = await openRecords(directory, second);
  const all = store.collection("Character");
  const accented = await all.byIndex("byBase", ["e"]);
  console.log(
    `e with its marks: ${accented
      .slice(0, 6)
      .map(({ text }) => text)
      .join("")}`,
  );

  // An index is built anew beside a writer; readers use the former copy until the new one is complete.
  let isBuilt = false;
  const writer = (async () => {
    for (let turn = 0; !isBuilt; turn++) await all.update(0x100 + (turn % 128), (one) => one);
  })();
  await store.indexes.rebuild("Character", "byBase");
  isBuilt = true;
  await writer;
  console.log(`rebuilt, and the same: ${(await all.byIndex("byBase", ["e"])).length === accented.length}`);

  // A unit of work: objects that are changed, and saved together.
  const context = store.context();
  const own = context.collection("Character");
  const a = await own.get(0x61);
  a.category = "vowel";
  own.delete(0x62);
  await context.save();
  console.log(
    `saved: a is a ${(await all.get(0x61)).category}, ${total - (await all.count())} less than before`,
  );
  await store.close();
}
