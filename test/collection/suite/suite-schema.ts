/** The collections of the record suite: one index of each kind and option. */
import type { RecordStore } from "../../../src/collection/record-store.js";
import { schema } from "../../../src/collection/schema.js";
import { count } from "../../../src/index/kinds/count.js";
import { max, min } from "../../../src/index/kinds/extreme.js";
import { scalar } from "../../../src/index/kinds/scalar.js";
import { sum } from "../../../src/index/kinds/sum.js";
import { versions } from "../../../src/index/kinds/versions.js";
import { collection, type DocumentOf } from "../../../src/record/declaration.js";
import { s } from "../../../src/record/schema-builder.js";

const Account = collection("Account", {
  schema: s.object({
    id: s.string(),
    email: s.string(),
    city: s.optional(s.string()),
    balance: s.number(),
    tags: s.array(s.string()),
    text: s.optional(s.string()),
  }),
  primaryKey: "id",
  indexes: [
    scalar("email", { unique: true }),
    scalar(["city", "balance"], { name: "byCity", covering: ["email"] }),
    scalar("tags[]"),
    scalar("city", { name: "withCity", sparse: true }),
    scalar("balance", { name: "inDebt", where: { op: "<", field: "balance", value: 0 } }),
    count({ by: ["city"], name: "countByCity" }),
    sum("balance", { by: ["city"], name: "sumByCity" }),
    min("balance", { by: ["city"], name: "least" }),
    max("balance", { name: "most" }),
    versions({ keepLast: 2, name: "history" }),
  ],
});

const Entry = collection("Entry", {
  schema: s.object({ id: s.number(), account: s.string() }),
  primaryKey: "id",
  indexes: [scalar("account")],
});

export const ACCOUNTS = schema({ version: "1.0.0", collections: [Account, Entry] });

export type AccountStore = RecordStore<readonly [typeof Account, typeof Entry]>;
export type AccountDocument = DocumentOf<typeof Account>;

export function account(id: string, fields: Partial<AccountDocument> = {}): AccountDocument {
  return { id, email: `${id}@x`, balance: 0, tags: [], ...fields };
}

/** More than one value holds. */
export const LARGE = "0123456789".repeat(12_000);
