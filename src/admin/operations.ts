/** Every operation there is, by name: the list that routes lead to and other fronts run. */
import type { Operation } from "./operation.js";
import { createBackup, listBackups } from "./operations/backups.js";
import { getCollection, listCollections, listIndexes } from "./operations/collections.js";
import { getCompaction, runCompaction } from "./operations/compaction.js";
import { deleteDocument, getDocument, listDocuments, putDocument } from "./operations/documents.js";
import { getMetrics } from "./operations/metrics.js";
import { deleteRow, getRow, listRows, putRow } from "./operations/rows.js";
import { createSnapshot, deleteSnapshot } from "./operations/snapshots.js";
import { getHealth, getStatus, listTables } from "./operations/status.js";
import { runTransaction } from "./operations/transactions.js";

export const OPERATIONS: readonly Operation[] = [
  getHealth,
  getStatus,
  getMetrics,
  listTables,
  listRows,
  getRow,
  putRow,
  deleteRow,
  runTransaction,
  createSnapshot,
  deleteSnapshot,
  listCollections,
  getCollection,
  listIndexes,
  listDocuments,
  getDocument,
  putDocument,
  deleteDocument,
  getCompaction,
  runCompaction,
  listBackups,
  createBackup,
];
