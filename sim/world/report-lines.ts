/** Lines of a report of what is pending: short enough to be read, honest about what was left out. */

/** Lines of one kind before the rest is only counted. */
const LINES_MAX = 12;

export function capped(lines: readonly string[]): string[] {
  if (lines.length <= LINES_MAX) return [...lines];
  return [...lines.slice(0, LINES_MAX), `and ${lines.length - LINES_MAX} more like it`];
}
