/**
 * Asks the server again and again while somebody looks: every two seconds while the page is in sight and not paused, and less often
 * while there is no answer. One round at a time.
 */

export const POLL_MS = 2_000;
const POLL_MS_MAX = 15_000;

export class Poller {
  private readonly round: () => Promise<void>;
  private readonly failed: (error: unknown) => void;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private delayMs = POLL_MS;
  private isRunning = false;
  private isPaused = false;

  constructor(round: () => Promise<void>, failed: (error: unknown) => void) {
    this.round = round;
    this.failed = failed;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.now();
    });
  }

  get paused(): boolean {
    return this.isPaused;
  }

  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
    if (!isPaused) this.now();
  }

  /** Begins a round unless one is under way. */
  now(): void {
    clearTimeout(this.timer);
    if (!this.isRunning) void this.run();
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    try {
      await this.round();
      this.delayMs = POLL_MS;
    } catch (error) {
      this.failed(error);
      this.delayMs = Math.min(POLL_MS_MAX, this.delayMs * 1.5);
    } finally {
      this.isRunning = false;
      this.timer = setTimeout(() => {
        if (!this.isPaused && !document.hidden) this.now();
      }, this.delayMs);
    }
  }
}
