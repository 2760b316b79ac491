#!/usr/bin/env node
/** The executable `stillwater`. Everything it does is in `program.ts`. */
import { runProgram } from "./program.js";
import { commandLine } from "./terminal.js";

await runProgram(commandLine());
