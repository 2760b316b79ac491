// Keys, values and the orders they come in: the same for every engine, made before a clock runs.
export const KEY_BYTES = 16;
export const VALUE_BYTES = 100;

/** Keys of 16 digits in one piece of memory; one beyond `count` may be asked for. */
export class Keys {
  #bytes;

  constructor(count) {
    this.#bytes = Buffer.alloc(count * KEY_BYTES, 48);
    for (let n = 0; n < count; n++)
      for (let at = n * KEY_BYTES + KEY_BYTES - 1, rest = n; rest > 0; at--, rest = Math.floor(rest / 10))
        this.#bytes[at] = 48 + (rest % 10);
  }

  at(n) {
    return this.#bytes.subarray(n * KEY_BYTES, (n + 1) * KEY_BYTES);
  }

  /** A key between this one and the next, which nobody has. */
  missing(n) {
    const key = Buffer.from(this.at(n));
    key[KEY_BYTES - 1] = 120;
    return key;
  }
}

/** Half of their bits are random, so they compress to about half. */
export function values() {
  const bytes = Buffer.alloc(4096 + VALUE_BYTES);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (Math.imul(i, 2654435761) >>> 13) & (i % 2 ? 0xff : 0x0f);
  return (n) => bytes.subarray(n % 4096, (n % 4096) + VALUE_BYTES);
}

/** 0 to count − 1, each once, in an order that jumps about. The same in every run. */
export function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const random = generator(42);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    const kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  return order;
}

/** `length` numbers below `count`, each as likely as any. */
export function uniform(count, length, seed) {
  const random = generator(seed);
  return Uint32Array.from({ length }, () => Math.floor(random() * count));
}

/** YCSB's scrambled Zipfian, theta 0.99 (Gray et al., "Quickly generating billion-record synthetic databases", 1994). */
export function zipfian(count, length, seed) {
  const theta = 0.99;
  let zeta = 0;
  for (let i = 1; i <= count; i++) zeta += i ** -theta;
  const alpha = 1 / (1 - theta);
  const eta = (1 - (2 / count) ** (1 - theta)) / (1 - (1 + 0.5 ** theta) / zeta);
  const random = generator(seed);
  const places = shuffled(count);
  return Uint32Array.from({ length }, () => {
    const u = random();
    const uz = u * zeta;
    const rank = uz < 1 ? 0 : uz < 1 + 0.5 ** theta ? 1 : Math.floor(count * (eta * u - eta + 1) ** alpha);
    return places[Math.min(rank, count - 1)];
  });
}

/** Mulberry32: fast, and no more is needed of it. */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
