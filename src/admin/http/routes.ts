/**
 * Which request leads to which operation, and where its input comes from: the names in braces from the path, `query` from the query,
 * everything else from the body, which is a JSON object. Owns nothing but this table; the OpenAPI document is made from it as well.
 */
import type { Operation } from "../operation.js";
import { deleteRow, getRow, listRows, putRow } from "../operations/rows.js";
import { getHealth, getStatus, listTables } from "../operations/status.js";

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
  { method: "GET", path: "/v1/tables", operation: listTables },
  { method: "GET", path: "/v1/rows", operation: listRows },
  { method: "GET", path: "/v1/rows/{key}", operation: getRow },
  {
    method: "PUT",
    path: "/v1/rows/{key}",
    operation: putRow,
    query: KEY_PARAMETERS,
    statuses: [200, 201],
    status: ({ created }: { readonly created: boolean }) => (created ? 201 : 200),
    location: ({ key, keyEncoding = "utf8" }: { readonly key: string; readonly keyEncoding?: string }) =>
      `/v1/rows/${encodeURIComponent(key)}?keyEncoding=${keyEncoding}`,
  },
  { method: "DELETE", path: "/v1/rows/{key}", operation: deleteRow },
];
