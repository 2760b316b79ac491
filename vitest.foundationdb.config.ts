import { defineConfig } from "vitest/config";

/** The FoundationDB backend on a live cluster, which this must not do without: `npm run test:foundationdb`. */
export default defineConfig({
  test: {
    include: ["test/foundationdb-cluster/**/*.test.ts"],
    testTimeout: 60_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
