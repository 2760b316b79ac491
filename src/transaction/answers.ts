/** Going on with an answer that may be there at once: a promise only where there must be one. */
import type { Answer } from "./storage.js";

/** `next` of an answer, at once if it is there. */
export function andThen<T, U>(answer: Answer<T>, next: (value: T) => Answer<U>): Answer<U> {
  return answer instanceof Promise ? answer.then(next) : next(answer);
}
