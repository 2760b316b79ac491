/** Every operation there is, by name: the list that routes lead to and other fronts run. */
import type { Operation } from "./operation.js";
import { deleteRow, getRow, listRows, putRow } from "./operations/rows.js";
import { getHealth, getStatus, listTables } from "./operations/status.js";

export const OPERATIONS: readonly Operation[] = [
  getHealth,
  getStatus,
  listTables,
  listRows,
  getRow,
  putRow,
  deleteRow,
];
