// The documents of the benchmark of records, some 300 bytes of JSON each, and random choices that are the same in every run.
const CITIES = 1_000;

/** Marsaglia's xorshift: 32 bits, never zero. */
export function randomOf(seed) {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const mixed = (number) => (Math.imul(number + 1, 2_654_435_761) >>> 0) % 2_147_483_648;

/** They rise, as ids of `newId` do. */
export const idOf = (number) => `user-${String(number).padStart(12, "0")}`;
export const emailOf = (number) => `person.${mixed(number * 7 + 3)}.${number}@example.com`;
export const cityOf = (number) => `city ${number % CITIES}`;
export const cities = CITIES;

const BIOGRAPHY =
  "Keeps bees, mends clocks and reads the small print; has lived by four rivers and never drowned. ";

export function userOf(number) {
  const mix = mixed(number);
  return {
    id: idOf(number),
    email: emailOf(number),
    name: `Person ${mix % 100_000} of House ${mix % 997}`,
    age: 18 + (mix % 70),
    city: cityOf(mix),
    score: (mix % 1_000_000) / 8,
    joinedMs: 1_500_000_000_000 + mix,
    biography: BIOGRAPHY.slice(0, 60 + (mix % 36)),
    isActive: mix % 3 !== 0,
  };
}
