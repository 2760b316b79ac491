/** `collections`, `indexes` and `index build`, on records that the command line knows nothing of but what is stored. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { collection, openDatabase, openRecords, Subspace, scalar, schema } from "../../src/index.js";
import { jsonOf, stillwater, storeWithRows, temporaryFolder } from "./command.js";

const folder = temporaryFolder();
const directory = join(folder, "records");
const DOCUMENTS = 250;

const City = collection("City", {
  schema: z.object({ id: z.number(), name: z.string(), country: z.string(), text: z.string() }),
  primaryKey: "id",
  indexes: [scalar("name"), scalar("country", { unique: true })],
});

beforeAll(async () => {
  await using records = await openRecords(directory, schema({ version: "1.2.0", collections: [City] }));
  await records.indexes.disable("City", "City_country");
  await records.transact(async (transaction) => {
    const cities = transaction.collection("City");
    for (let id = 0; id < DOCUMENTS; id++) {
      const text = id === 7 ? "x".repeat(200_000) : "";
      await cities.put({ id, name: `city ${id}`, country: `country ${Math.min(id, DOCUMENTS - 2)}`, text });
    }
  });
});

describe("collections", () => {
  it("are listed with their keys and indexes, and counted when asked for", () => {
    const { code, out, error } = stillwater(["collections", directory, "--count"]);
    expect({ code, error }).toEqual({ code: 0, error: "" });
    expect(out).toContain("schema 1.2.0");
    expect(out).toMatch(/^City +id +2 +250$/m);
    expect(jsonOf(["collections", directory])).toEqual({
      directory,
      readOnly: false,
      schemaVersion: "1.2.0",
      collections: [
        { name: "City", primaryKey: "id", indexes: ["City_name", "City_country"], documents: null },
      ],
    });
  });

  it("are not found in a store without records", async () => {
    const plain = join(folder, "plain");
    await storeWithRows(plain, 3);
    const { code, error } = stillwater(["collections", plain]);
    expect(code).toBe(1);
    expect(error).toMatch(/^stillwater: NOT_FOUND: there are no records/);
  });
});

describe("an index", () => {
  it("is shown with its state, told why it cannot be built, and readable once it can", async () => {
    expect(stillwater(["indexes", directory, "City"]).out).toMatch(
      /^City +City_country +scalar +country +disabled$/m,
    );
    const refused = stillwater(["index", "build", directory, "City", "City_country"]);
    expect(refused.code).toBe(1);
    expect(refused.error).toMatch(
      /^stillwater: INDEX_BUILD_VIOLATIONS: .*"country 248" in City_country: 248, 249/,
    );
    expect(stillwater(["indexes", directory]).out).toMatch(
      /City_country +scalar +country +writeOnly, 100 % built$/m,
    );
    await using records = await openRecords(directory, schema({ version: "1.2.0", collections: [City] }));
    await records.collection("City").delete(249);
    await records.close();
    const built = stillwater(["index", "build", directory, "City", "City_country"]);
    expect(built).toMatchObject({ code: 0, error: "" });
    expect(built.out).toContain("City_country: readable");
    const rebuilt = jsonOf(["index", "build", directory, "City", "City_country", "City_name", "--rebuild"]);
    expect(rebuilt).toMatchObject({ collection: "City", items: 2 * (DOCUMENTS - 1) });
    expect(jsonOf(["indexes", directory])).toMatchObject({
      indexes: [{ state: "readable" }, { state: "readable", build: null, shadow: null }],
    });
  });

  it("that is not there is a typed error that names those that are", () => {
    const { code, error } = stillwater(["index", "build", directory, "City", "City_nmae", "--json"]);
    expect(code).toBe(1);
    const { error: found } = JSON.parse(error) as { readonly error: { code: string; message: string } };
    expect(found.code).toBe("UNKNOWN_INDEX");
    expect(found.message).toContain("City_name, City_country");
  });
});

describe("checking indexes", () => {
  it("finds sound ones sound, and names what is wrong with the others", async () => {
    const sound = stillwater(["index", "verify", directory]);
    expect(sound).toMatchObject({ code: 0, error: "" });
    expect(sound.out).toMatch(/^City +City_name +sound: \d+ rows$/m);
    await removeOneRow();
    const found = stillwater(["index", "verify", directory, "City"]);
    expect(found.code).toBe(1);
    expect(found.out).toMatch(/^City.City_name: missing row of 5, 0x[0-9a-f]+$/m);
    expect(found.out).toMatch(/^City +City_name +damaged: 0 dangling, 1 missing, 0 wrong/m);
  });

  it("repairs when it is told to, and not before", () => {
    const scrub = ["index", "scrub", directory, "City", "City_name", "--restart"];
    expect(stillwater(scrub).code).toBe(1);
    expect(stillwater([...scrub, "--repair", "--preset", "conservative"])).toMatchObject({
      code: 0,
      error: "",
    });
    expect(jsonOf(scrub)).toMatchObject({ missing: 0, dangling: 0, findings: [] });
    expect(stillwater([...scrub, "--preset", "no"]).code).toBe(2);
  });
});

/** Of the document 5 in the index of names, behind the back of the records. */
async function removeOneRow(): Promise<void> {
  await using database = await openDatabase(directory);
  await database.transact(async (transaction) => {
    const { begin, end } = Subspace.of("stillwater records").range();
    const rows = await transaction.getRangeAll(begin, end);
    const own = rows.filter(([key]) => Buffer.from(key).includes("city 5\0") && key.length < 60);
    expect(own).toHaveLength(1);
    for (const [key] of own) transaction.clear(key);
  });
}
