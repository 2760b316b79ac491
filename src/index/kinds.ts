/** The kinds of index that come with the store. A new one is added here and nowhere else. */
import type { IndexKind } from "./kind.js";
import { SCALAR } from "./kinds/scalar.js";

export const OWN_KINDS: readonly IndexKind[] = [SCALAR];
