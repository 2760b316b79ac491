/** Every kind of index, ours and a foreign one, through the suite that all must pass. */
import { CASES } from "./kind-cases.js";
import { kindSuite } from "./kind-suite.js";

for (const one of CASES) kindSuite(one);
