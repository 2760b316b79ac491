/**
 * The contract of `Database` on a live FoundationDB cluster: the one that FDB_CLUSTER_FILE names. Clears that database's user
 * keys. Needs FoundationDB's client library and the package `foundationdb` (`npm install --no-save foundationdb@2`).
 */
import { afterAll, describe } from "vitest";
import { openFoundationDatabase } from "../../src/backend/foundationdb/database.js";
import { SharedDatabase } from "../transaction/contract/backend.js";
import { defineContract } from "../transaction/contract.js";

const clusterFile = process.env["FDB_CLUSTER_FILE"];
if (clusterFile === undefined) {
  throw new Error(
    "FDB_CLUSTER_FILE is not set. Set it to the cluster file of a FoundationDB database that these tests may empty.",
  );
}

const shared = new SharedDatabase((transactions) => openFoundationDatabase({ clusterFile, transactions }));

describe("a FoundationDB cluster", () => {
  defineContract({
    name: "FoundationDB",
    limits: { idempotencyKeys: "INVALID_OPTION_VALUE" },
    run: (body, setting) => shared.run(body, setting),
  });
});

afterAll(() => shared.close());
