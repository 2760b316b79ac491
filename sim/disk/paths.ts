/**
 * Paths, taken apart once: each text becomes a `Path` with a small number for the trace and its parts for the walk.
 * Relative paths start at the root, which is the working directory of every simulated process.
 */

export interface Path {
  readonly id: number;
  readonly text: string;
  /** Without empty parts; "." and ".." are in it, since they mean something only on the way. */
  readonly parts: readonly string[];
  /** Ends with "/": what is there must be a directory. */
  readonly directoryOnly: boolean;
}

export class PathTable {
  private readonly known = new Map<string, Path>();

  intern(text: string): Path {
    let path = this.known.get(text);
    if (path === undefined) {
      const parts = text.split("/").filter((part) => part !== "");
      path = { id: this.known.size + 1, text, parts, directoryOnly: text.endsWith("/") };
      this.known.set(text, path);
    }
    return path;
  }
}
