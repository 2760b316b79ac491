/**
 * The simulator as a library (`stillwater/sim`): the simulated disk and world, the workloads, the oracles, and the
 * runner. What is exported here is what a test or a tool outside of this folder may use.
 */
export { CASE_FORMAT, caseOf, formatCase, parseCase, type SimulationCase } from "./cases/case.js";
export { listCases, readCase, writeCase } from "./cases/files.js";
export { defineCase, type LiteralCase, type PartOf } from "./cases/literal-case.js";
export { type Replay, replayCase } from "./cases/replay.js";
export { type ChoiceLog, type ChoiceStream, Choices, type StreamName } from "./choices/choices.js";
export { simCommand } from "./cli.js";
export { type CoverageRow, coverageRows, missedRows } from "./coverage/coverage.js";
export { type ProbeSite, type ProbeSites, readProbeSites } from "./coverage/sites.js";
export { FAULT_KINDS, type FaultKind } from "./disk/counters.js";
export { itemText } from "./disk/crash-items.js";
export { SimulatedCrash } from "./disk/errors.js";
export { type DiskOptions, type FaultProbabilities, NO_FAULTS, SOUND_DISK } from "./disk/options.js";
export {
  type CrashItem,
  type CrashKind,
  type DiskTimers,
  SimulationDisk,
  type VFSOperation,
} from "./disk/simulation-disk.js";
export { type CrashTestOptions, type CrashTestResult, crashTest } from "./exec/crash-test.js";
export type { Finding } from "./exec/findings.js";
export {
  type ExplorationConfig,
  type ExplorationResult,
  explore,
} from "./explore/exploration.js";
export { type DrawnBy, type FastCheck, simulateWith } from "./harness/fast-check.js";
export type { CheckContext, ScenarioContext, SimulatedProcess } from "./harness/scenario.js";
export {
  type SimulateOptions,
  type SimulateReport,
  SimulationFailure,
  simulate,
} from "./harness/simulate.js";
export { type Anomaly, explain } from "./history/anomaly.js";
export { checkHistory, type HistoryCheckOptions, type HistoryReport } from "./history/check.js";
export type { History, HistoryOperation, HistoryTransaction, Outcome } from "./history/history.js";
export { formatHistory, formatTransaction, parseHistory } from "./history/json-lines.js";
export { ANOMALY_NAMES, type AnomalyName, MODELS, type Model, meaningOf } from "./history/models.js";
export { HistoryRecorder, type RecordedTransaction } from "./history/recorder.js";
export { type LintFinding, StoreLint } from "./lint/store-lint.js";
export { findMissing, lintAcknowledgement } from "./lint/unsynced.js";
export { NodeMachine } from "./node-fs/machine.js";
export { createNodeFS, type NodeFS, type NodeFSOptions, type SimulatedFS } from "./node-fs/node-fs.js";
export { failureClass, ORACLE_IDS, ORACLES, OracleFailure, type OracleId } from "./oracles/failure.js";
export { addCounts, emptyCounts, type RunCounts } from "./run/counts.js";
export { type EnsembleConfig, type EnsembleResult, runEnsemble } from "./run/ensemble.js";
export { jsonReport, junitReport } from "./run/report-files.js";
export { type FailureClass, runSeed, type SeedConfig, type SeedResult, seedAt } from "./run/seed.js";
export { type SimulationResult, type SimulationSetup, simulate as simulateStore } from "./run/simulation.js";
export { formatFailure, formatSummary, reproduceLine } from "./run/summary.js";
export { formatTest } from "./shrink/emit-test.js";
export {
  type CaseSize,
  type ShrinkBudget,
  type ShrinkProgress,
  type ShrunkCase,
  shrinkCase,
} from "./shrink/shrink.js";
export { Trace } from "./trace/trace.js";
export { timeTravelPage } from "./viewer/html.js";
export type { Classify, Frame } from "./viewer/places.js";
export { type PageNotes, pageOfCase, recordCase } from "./viewer/record.js";
export { Recorder, type RecorderOptions } from "./viewer/recorder.js";
export type { Headline, RecordedTrace, TraceModel } from "./viewer/trace-model.js";
export { TraceReader } from "./viewer/trace-reader.js";
export { OperationGenerator, type OperationSource, RecordedOperations } from "./workload/generator.js";
export type { Mutation, Operation, OperationKind } from "./workload/operation.js";
export {
  DEFAULT_LIMITS,
  drawOptions,
  FAULT_NAMES,
  type FaultName,
  type SimulationOptions,
  type SwarmLimits,
} from "./workload/options.js";
export { WORKLOADS, type WorkloadName } from "./workload/workloads.js";
export type { CrashMoment, CrashRequest } from "./world/crash-plan.js";
export { Life, type LifeEnd, simulationPlatform, World } from "./world/world.js";
