import { defineConfig } from "vitest/config";

/** Tests that need a browser (`npm run test:browser`); a fresh machine has none, so they are no part of `npm test`. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
  },
});
