/**
 * `stillwater/admin`: a store's admin over HTTP, in a server of one's own or in ours, and the operations behind it.
 *
 * ```ts
 * import { createServer } from "node:http";
 * import { openDatabase } from "stillwater";
 * import { adminHandler } from "stillwater/admin";
 * const database = await openDatabase("./data");
 * createServer(adminHandler(database)).listen(4711, "127.0.0.1");
 * ```
 */

export { LOOPBACK_HOSTS } from "./http/guard.js";
export { type AdminHandler, type AdminOptions, adminHandler } from "./http/handler.js";
export { type AdminServer, listen, type ServerOptions } from "./http/server.js";
