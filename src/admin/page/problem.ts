/** What has gone wrong with a request, or with what somebody typed. */

export class Problem extends Error {
  readonly code: string;
  /** 0: there was no answer. */
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.name = "Problem";
    this.code = code;
    this.status = status;
  }
}
