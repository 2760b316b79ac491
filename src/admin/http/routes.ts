/**
 * Which request leads to which operation, and where its input comes from: the names in braces from the path, `query` from the query,
 * everything else from the body, which is a JSON object. Owns nothing but this table; the OpenAPI document is made from it as well.
 */
import type { Operation } from "../operation.js";
import { createBackup, listBackups } from "../operations/backups.js";
import { getCollection, listCollections, listIndexes } from "../operations/collections.js";
import { getCompaction, runCompaction } from "../operations/compaction.js";
import { deleteDocument, getDocument, listDocuments, putDocument } from "../operations/documents.js";
import { getMetrics } from "../operations/metrics.js";
import { deleteRow, getRow, listRows, putRow } from "../operations/rows.js";
import { createSnapshot, deleteSnapshot } from "../operations/snapshots.js";
import { getHealth, getStatus, listTables } from "../operations/status.js";
import { runTransaction } from "../operations/transactions.js";

export interface Route {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** `/v1/rows/{key}` */
  readonly path: string;
  readonly operation: Operation;
  /** Members of the input that are parameters of the query. Default: all that are not in the path, where there is no body. */
  readonly query?: readonly string[];
  /** Answered without a token. */
  readonly isOpen?: true;
  /** Of a success. Default: always 200. */
  readonly statuses?: readonly number[];
  status?(output: never): number;
  location?(input: never): string;
}

const KEY_PARAMETERS = ["keyEncoding", "valueEncoding"];

export const ROUTES: readonly Route[] = [
  { method: "GET", path: "/v1/health", operation: getHealth, isOpen: true },
  { method: "GET", path: "/v1/status", operation: getStatus },
  { method: "GET", path: "/v1/metrics", operation: getMetrics },
  { method: "GET", path: "/v1/tables", operation: listTables },
  { method: "GET", path: "/v1/rows", operation: listRows },
  { method: "GET", path: "/v1/rows/{key}", operation: getRow },
  {
    method: "PUT",
    path: "/v1/rows/{key}",
    operation: putRow,
    query: KEY_PARAMETERS,
    statuses: [200, 201],
    status: createdOrReplaced,
    location: ({ key, keyEncoding = "utf8" }: { readonly key: string; readonly keyEncoding?: string }) =>
      `/v1/rows/${encodeURIComponent(key)}?keyEncoding=${keyEncoding}`,
  },
  { method: "DELETE", path: "/v1/rows/{key}", operation: deleteRow },
  { method: "POST", path: "/v1/transactions", operation: runTransaction },
  { method: "POST", path: "/v1/snapshots", operation: createSnapshot, statuses: [201], status: () => 201 },
  { method: "DELETE", path: "/v1/snapshots/{id}", operation: deleteSnapshot },
  { method: "GET", path: "/v1/collections", operation: listCollections },
  { method: "GET", path: "/v1/collections/{name}", operation: getCollection },
  { method: "GET", path: "/v1/collections/{name}/indexes", operation: listIndexes },
  { method: "GET", path: "/v1/collections/{name}/documents", operation: listDocuments },
  { method: "GET", path: "/v1/collections/{name}/documents/{key}", operation: getDocument },
  {
    method: "PUT",
    path: "/v1/collections/{name}/documents/{key}",
    operation: putDocument,
    query: ["keyType"],
    statuses: [200, 201],
    status: createdOrReplaced,
    location: ({
      name,
      key,
      keyType = "text",
    }: {
      readonly name: string;
      readonly key: string;
      readonly keyType?: string;
    }) =>
      `/v1/collections/${encodeURIComponent(name)}/documents/${encodeURIComponent(key)}?keyType=${keyType}`,
  },
  { method: "DELETE", path: "/v1/collections/{name}/documents/{key}", operation: deleteDocument },
  { method: "GET", path: "/v1/compaction", operation: getCompaction },
  {
    method: "POST",
    path: "/v1/compaction",
    operation: runCompaction,
    statuses: [200, 202],
    status: begunOrDone,
  },
  { method: "GET", path: "/v1/backups", operation: listBackups },
  { method: "POST", path: "/v1/backups", operation: createBackup, statuses: [201], status: () => 201 },
];

function createdOrReplaced({ created }: { readonly created: boolean }): number {
  return created ? 201 : 200;
}

function begunOrDone({ isRunning }: { readonly isRunning: boolean }): number {
  return isRunning ? 202 : 200;
}
