/** A promise for tests that hold something up, and let it go on when it is time. */

/** Resolves when it is told to. */
export function latch(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
