/**
 * What the package may weigh. Each bound is what was measured on 2026-11-21 and about a quarter more: growth that
 * somebody decides on raises it in the same commit; growth that nobody noticed fails the tests, which say what it is.
 */
export const BUDGET = {
  /** The tarball, what it unpacks to, and its files. */
  packedBytes: 1_700_000,
  unpackedBytes: 8_300_000,
  files: 2_900,
  /** Everything that `npm install stillwater` puts into node_modules, the package included. */
  installedBytes: 14_000_000,
  installedPackages: 13,
  /** One entry point with all that it loads, bundled and minified, packages included, peers not. */
  bundledBytes: {
    stillwater: 620_000,
    "stillwater/admin": 570_000,
    "stillwater/etcd": 110_000,
    "stillwater/foundationdb": 30_000,
    "stillwater/level": 240_000,
    "stillwater/otel": 30_000,
    "stillwater/sim": 1_300_000,
    "stillwater/sim/register": 140_000,
  } as Readonly<Record<string, number>>,
  /** What is left where a program uses only this much of `stillwater`. */
  shakenBytes: { open: 210_000, Subspace: 13_000 },
};
