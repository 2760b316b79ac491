/** The kinds of index that come with the store. A new one is added here and nowhere else. */
import type { IndexKind } from "./kind.js";
import { COUNT } from "./kinds/count.js";
import { MAX, MIN } from "./kinds/extreme.js";
import { SCALAR } from "./kinds/scalar.js";
import { SUM } from "./kinds/sum.js";
import { VERSIONS } from "./kinds/versions.js";

export const OWN_KINDS: readonly IndexKind[] = [SCALAR, COUNT, SUM, MIN, MAX, VERSIONS];
