/**
 * Planted bugs of transactions: of the checks of conflicts, of what they remember, of what a commit makes of unread values,
 * of watches and unknown results. Most are slips of one comparison, as FoundationDB's own simulation plants them.
 */
import type { PlantedMutant } from "./mutant.js";

type Described = Pick<PlantedMutant, "id" | "breaks" | "needs" | "oracles"> & {
  readonly copies?: string;
};

const SPIRIT = "FoundationDB's resolver, in its spirit";

const DESCRIBED: readonly Described[] = [
  {
    id: "T1-reads-not-checked",
    breaks: "a commit is taken whatever was written since it read",
    copies: "FoundationDB's negative test of Cycle (transactions off)",
    needs: "a write between a read and its commit",
    oracles: ["O5", "O31"],
  },
  {
    id: "T2-writes-not-remembered",
    breaks: "what a commit writes makes no reader fail",
    needs: "a write between a read and its commit",
    oracles: ["O5", "O31"],
  },
  {
    id: "T3-only-points-checked",
    breaks: "reads of ranges conflict with nobody, so that phantoms appear",
    copies: "Berenson et al. 1995, A3 phantom",
    needs: "a range read, a write in it",
    oracles: ["O5", "O31"],
  },
  {
    id: "T4-too-old-not-refused",
    breaks: "a commit is taken although what was written since its read version is forgotten by now",
    copies: "FoundationDB transaction_too_old",
    needs: "a client that thinks for longer than five seconds, commits beside it",
    oracles: ["O5", "O31"],
  },
  {
    id: "T6-read-version-off-by-one",
    breaks: "the commit right after the read version does not conflict",
    needs: "a conflict with the very next commit",
    oracles: ["O5", "O31"],
  },
  {
    id: "T7-only-writes-checked",
    breaks: "only writes against writes are checked: snapshot isolation, with write skew",
    copies: "Berenson et al. 1995, A5B write skew",
    needs: "a read of what another one writes",
    oracles: ["O5", "O31"],
  },
  {
    id: "T8-conflict-end-is-inclusive",
    breaks: "a cleared range conflicts with readers of the key behind it",
    needs: "a reader of that key",
    oracles: ["O5"],
  },
  {
    id: "T9-conflict-begin-is-exclusive",
    breaks: "a cleared range does not conflict with readers of its first key",
    needs: "a reader of that key",
    oracles: ["O5"],
  },
  {
    id: "T10-atomic-on-what-is-visible",
    breaks: "an atomic operation is computed on what can be read, not on what is in the log and unapplied",
    needs: "two of them on one key within a sync",
    oracles: ["O31", "O5", "O22", "O6", "O12", "O23", "O3"],
  },
  {
    id: "T11-versionstamp-of-the-last-commit",
    breaks: "versionstamps in keys and values name the version before",
    needs: "a versionstamp",
    oracles: ["O5", "O3", "O2", "O22", "O6", "O12"],
  },
  {
    id: "T12-watch-not-checked-when-it-begins",
    breaks: "a change between a commit and the start of its watch is told to nobody",
    needs: "a commit between the two",
    oracles: ["O32"],
  },
  {
    id: "T13-read-of-own-write-conflicts",
    breaks: "reading what the transaction itself has set makes it fail when others write there",
    needs: "a read of an own write, a write of another",
    oracles: ["O5"],
  },
  {
    id: "T14-read-of-own-atomic-spared",
    breaks: "reading an own atomic operation counts as no read of what is stored",
    needs: "a read of an own atomic operation, a write of another",
    oracles: ["O5"],
  },
  {
    id: "T15-unknown-result-told-as-conflict",
    breaks: "a commit that may be in the log is said not to have happened",
    copies: "FoundationDB commit_unknown_result",
    needs: "a failed sync under commits",
    oracles: ["O4"],
  },
  {
    id: "T16-clear-range-conflicts-with-nobody",
    breaks: "readers of what a range clear removes do not fail",
    needs: "a range clear between a read and its commit",
    oracles: ["O5"],
  },
  {
    id: "T17-sweep-joins-with-newer",
    breaks: "sweeping old history gives forgotten ranges the newer version before them",
    needs: "commits for longer than five seconds",
    oracles: ["O5"],
  },
  {
    id: "T18-sweep-joins-with-older",
    breaks: "sweeping old history forgets a range that was written lately",
    needs: "commits for longer than a few at a time",
    oracles: ["O5", "O31"],
  },
  {
    id: "T19-split-forgets-the-newest",
    breaks: "a chunk of the history that is split no longer counts as written in its second half",
    needs: "small chunks",
    oracles: ["O5", "O31"],
  },
  {
    id: "T20-large-commits-not-looked-at",
    breaks: "commits that are remembered apart, because of their size, make no reader fail",
    needs: "such a commit between a read and its commit",
    oracles: ["O5", "O31"],
  },
  {
    id: "T21-range-left-early-conflicts-on-nothing",
    breaks: "a range read that is left, or has a limit, conflicts with nobody",
    needs: "a range read with a limit, a write in what it has read",
    oracles: ["O5"],
  },
  {
    id: "T22-stamped-keys-not-remembered",
    breaks: "readers of a range do not fail when a key with a versionstamp comes to lie in it",
    needs: "a range read of such keys",
    oracles: ["O5"],
  },
  {
    id: "T23-snapshot-read-conflicts",
    breaks: "a snapshot read of a key makes the commit fail when the key is written",
    needs: "a snapshot read, a write of another",
    oracles: ["O5"],
  },
  {
    id: "T24-watch-told-without-a-change",
    breaks: "a watch is told of a change as soon as anybody looks at its key",
    needs: "a watch",
    oracles: ["O32"],
  },
  {
    id: "T25-idempotency-key-not-recorded",
    breaks: "a commit leaves nothing under its idempotency key",
    copies: "FoundationDB's automatic idempotency, in its spirit",
    needs: "the key once more, or a look for it",
    oracles: ["O33"],
  },
  {
    id: "T26-only-the-current-epoch-looked-up",
    breaks: "keys are forgotten when the next epoch begins, however short ago they were committed",
    copies: "FoundationDB's cleaner of idempotency ids, in its spirit",
    needs: "a key that is sent again across the end of an epoch",
    oracles: ["O33"],
  },
  {
    id: "T27-look-up-conflicts-with-nobody",
    breaks: "two commits with one key under way at once are both taken",
    copies: "FoundationDB's automatic idempotency, in its spirit",
    needs: "two clients with one key",
    oracles: ["O33"],
  },
  {
    id: "T28-registration-not-noticed",
    breaks: "commits after a registration or removal are recorded for the feeds before it",
    copies: "FoundationDB's change feeds, in its spirit",
    needs: "a registration, then a commit in its range",
    oracles: ["O34"],
  },
  {
    id: "T29-chunks-in-reverse",
    breaks: "the chunks of a commit's entry are put together in the wrong order",
    needs: "an entry of more than one chunk",
    oracles: ["O34", "O16"],
  },
  {
    id: "T30-pop-takes-one-more",
    breaks: "popping a feed also takes the first version that is to stay",
    needs: "a pop at a version that is in the feed, a read from there",
    oracles: ["O34"],
  },
];

export const TRANSACTION_MUTANTS: readonly PlantedMutant[] = DESCRIBED.map((mutant) => ({
  copies: SPIRIT,
  killer: "swarm",
  workloads: "transactions",
  ...mutant,
}));
