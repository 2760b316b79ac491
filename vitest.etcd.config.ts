import { defineConfig } from "vitest/config";

/** The etcd backend on a cluster of real servers: `npm run test:etcd`. */
export default defineConfig({
  test: {
    include: ["test/etcd-cluster/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
