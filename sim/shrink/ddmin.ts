/**
 * Minimising a list: which of its parts does a property need? Delta debugging by Zeller and Hildebrandt ("Simplifying and
 * Isolating Failure-Inducing Input", IEEE TSE 2002), with what later reducers found out: larger parts first, from the
 * end, and no second look at parts that were just refused. Then single items until none can go, then neighbouring
 * pairs, for what only goes together (opening and closing, arming and striking).
 *
 * Promise: the result is a sublist of the input, in its order, and the property holds for it if it held for the input;
 * when the test may ask as often as it likes, no single item of it can go. Does not own: the property, the budget (a
 * test that has none left answers false).
 */

export type ListTest<Item> = (items: readonly Item[]) => Promise<boolean>;

/** O(n log n) tests when few items matter, O(n²) at worst. The property must hold for `items`. */
export async function minimiseList<Item>(
  items: readonly Item[],
  holds: ListTest<Item>,
): Promise<readonly Item[]> {
  if (items.length === 0) return items;
  if (await holds([])) return [];
  let kept = items;
  for (let size = Math.ceil(kept.length / 2); size > 1; size = Math.ceil(size / 2)) {
    kept = await withoutRuns(kept, size, size, holds);
    // Halving from the rest: after large cuts the old size would skip over what is left.
    size = Math.min(size, kept.length);
  }
  kept = await withoutSingles(kept, holds);
  const paired = await withoutRuns(kept, 2, 1, holds);
  return paired.length < kept.length ? withoutSingles(paired, holds) : paired;
}

/** Once through the list from its end, taking out `size` neighbours wherever the property lets them go. */
async function withoutRuns<Item>(
  items: readonly Item[],
  size: number,
  step: number,
  holds: ListTest<Item>,
): Promise<readonly Item[]> {
  let kept = items;
  for (let start = kept.length - size; start > -size; start -= step) {
    const from = Math.max(start, 0);
    const fewer = [...kept.slice(0, from), ...kept.slice(start + size)];
    if (fewer.length < kept.length && (await holds(fewer))) kept = fewer;
  }
  return kept;
}

/** Until no single item can go. */
async function withoutSingles<Item>(items: readonly Item[], holds: ListTest<Item>): Promise<readonly Item[]> {
  let kept = items;
  for (;;) {
    const before = kept.length;
    kept = await withoutRuns(kept, 1, 1, holds);
    if (kept.length === before) return kept;
  }
}

/**
 * The smallest number in [least, value] that bisection finds the property to hold for; `value` when for none. Exact
 * when the property is monotone. O(log(value - least)) tests.
 */
export async function minimiseNumber(
  value: number,
  least: number,
  holds: (value: number) => Promise<boolean>,
): Promise<number> {
  if (value <= least) return value;
  if (await holds(least)) return least;
  let fails = least;
  let works = value;
  while (works - fails > 1) {
    const middle = Math.floor((fails + works) / 2);
    if (await holds(middle)) works = middle;
    else fails = middle;
  }
  return works;
}
