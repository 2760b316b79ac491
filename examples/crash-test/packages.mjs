// What is tested, and what each promises: in its own words, with the place, since only that is judged.
// `powerLoss`: whether the promise covers it; "open" where it says neither.
export const SUBJECTS = [
  {
    folder: "plain-write-file",
    title: "`fs.writeFile` over the file",
    promise: "(known bad) judged as if it were atomic",
    powerLoss: "yes",
  },
  {
    folder: "rename-without-sync",
    title: "`fs.writeFile` to a temporary file, `fs.rename`",
    promise: "(known bad) judged as if it were atomic",
    powerLoss: "yes",
  },
  {
    folder: "right-way",
    title: "write, sync, rename, sync the directory",
    promise: "(known good) atomic, and durable once acknowledged",
    powerLoss: "yes",
  },
  {
    folder: "write-file-atomic",
    npm: "write-file-atomic",
    promise:
      '"Atomically … writes data to a file, replacing the file if it already exists" (README, Description)',
    powerLoss: "open",
    beyond: "the newest version once the promise has resolved",
  },
  {
    folder: "steno",
    npm: "steno",
    promise: '"Safe: No partial writes (writes are atomic)" (README, Features)',
    powerLoss: "open",
    beyond: "the newest version once `write` has resolved",
  },
  {
    folder: "lowdb",
    npm: "lowdb",
    promise: '"Safe atomic writes" (README, Features)',
    powerLoss: "open",
    beyond: "the newest version once `update` has resolved",
  },
  {
    folder: "nedb",
    npm: "@seald-io/nedb",
    promise:
      '"compaction forces the OS to physically flush data to disk … The worst that can happen is a crash between two syncs, ' +
      'causing a loss of all data between the two syncs" (documentation of `Persistence`)',
    powerLoss: "yes",
    beyond: "what was inserted since the last compaction",
  },
  {
    folder: "conf",
    npm: "conf",
    promise:
      '"Changes are written to disk atomically, so if the process crashes during a write, it will not corrupt the existing ' +
      'config" (README)',
    powerLoss: "no",
    beyond: "a whole version of the file",
  },
  {
    folder: "node-persist",
    npm: "node-persist",
    promise: '"we immediately persist to disk now, asynchronously" (README, 3.0.0)',
    powerLoss: "no",
    beyond: "each item whose `setItem` had resolved",
  },
];
