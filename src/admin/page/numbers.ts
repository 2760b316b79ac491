/** Numbers as axes and figures show them. Pure. */

/** Three digits of whatever unit is the right one. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < SIZES.length - 1; unit++) value /= 1024;
  return `${threeDigits(value)} ${SIZES[unit]}`;
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function amountText(value: number): string {
  if (value < 10_000) return value < 100 ? threeDigits(value) : Math.round(value).toLocaleString("en-US");
  return value < 999_500 ? `${threeDigits(value / 1000)} k` : `${threeDigits(value / 1e6)} M`;
}

export function millisecondsText(ms: number): string {
  if (ms < 1) return `${threeDigits(ms * 1000)} µs`;
  return ms < 1000 ? `${threeDigits(ms)} ms` : durationText(ms);
}

/** The two largest units. */
export function durationText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${threeDigits(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function shareText(share: number): string {
  return `${threeDigits(share * 100)} %`;
}

function threeDigits(value: number): string {
  const digits = value >= 99.95 || Number.isInteger(value) ? 0 : value >= 9.995 ? 1 : 2;
  return value.toFixed(digits);
}

/** The next number that an axis may end at: 1, 2 or 5 times a power of ten; of bytes a power of two. */
export function axisEnd(value: number, isBytes: boolean): number {
  if (value <= 0) return 1;
  if (isBytes) return 2 ** Math.ceil(Math.log2(value));
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10);
}
