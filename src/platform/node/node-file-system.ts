/**
 * The part of `node:fs` that `NodeVFS` stands on, as an interface, so that an in-memory volume or a failing disk can
 * take its place. Every function behaves as its namesake in `node:fs`, errors with errno codes included.
 */
export interface NodeFileSystem {
  readonly constants: {
    readonly O_RDONLY: number;
    readonly O_RDWR: number;
    readonly O_CREAT: number;
    readonly O_EXCL: number;
  };
  openSync(path: string, flags: number, mode?: number): number;
  closeSync(descriptor: number): void;
  readSync(
    descriptor: number,
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
  ): number;
  writeSync(
    descriptor: number,
    source: Uint8Array,
    sourceStart: number,
    length: number,
    position: number,
  ): number;
  read(
    descriptor: number,
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
    done: (error: NodeJS.ErrnoException | null, bytesRead: number) => void,
  ): void;
  ftruncateSync(descriptor: number, size: number): void;
  fdatasyncSync(descriptor: number): void;
  fdatasync(descriptor: number, done: (error: NodeJS.ErrnoException | null) => void): void;
  fsyncSync(descriptor: number): void;
  fstatSync(descriptor: number): NodeFileStat;
  statSync(path: string): NodeFileStat;
  readdirSync(path: string): string[];
  renameSync(from: string, to: string): void;
  linkSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  mkdirSync(path: string): void;
  rmdirSync(path: string): void;
  readFileSync(path: string, encoding: "utf8"): string;
  writeFileSync(path: string, text: string): void;
}

export interface NodeFileStat {
  readonly size: number;
  readonly ino: number;
  isDirectory(): boolean;
}
