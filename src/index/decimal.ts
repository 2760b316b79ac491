/**
 * Decimal numbers as whole numbers of units: 12.5 with two decimals is 1250. Exact: a `number` stands for the shortest decimal that
 * JavaScript writes for it, so that 0.1 is one tenth; one with more decimals than there are is none.
 */

/** Below it, either way, so that sums of any number of them fit. */
const UNITS_LIMIT = 1n << 63n;
/** `String` of a finite number. */
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

/** Null for what is no such number. */
export function decimalUnits(value: unknown, scale: number): bigint | null {
  const units =
    typeof value === "bigint"
      ? value * 10n ** BigInt(scale)
      : typeof value === "number"
        ? ofNumber(value, scale)
        : null;
  return units !== null && units < UNITS_LIMIT && units > -UNITS_LIMIT ? units : null;
}

function ofNumber(value: number, scale: number): bigint | null {
  const [, sign, whole, decimals = "", exponent = "0"] = NUMBER.exec(String(value)) ?? [];
  if (whole === undefined) return null;
  const power = Number(exponent) - decimals.length + scale;
  // The shortest form has no zeros at its end that could be taken off.
  if (power < 0) return null;
  const units = BigInt(whole + decimals) * 10n ** BigInt(power);
  return sign === "-" ? -units : units;
}

/** The nearest number. */
export function unitsAsNumber(units: bigint, scale: number): number {
  return Number(`${units}e-${scale}`);
}
