/** Merging all tables: asked for with one button, and said how it goes. */
import type { Compaction } from "./answers.js";
import { get, request } from "./api.js";
import { confirmAction } from "./dialogs.js";
import { byId, el } from "./dom.js";
import { durationText } from "./numbers.js";

export class CompactionControl {
  private readonly button = byId("compact", HTMLButtonElement);
  private readonly text = byId("compaction", HTMLSpanElement);

  constructor() {
    this.button.addEventListener("click", () => void this.ask());
  }

  async refresh(readOnly: boolean): Promise<void> {
    this.button.hidden = readOnly;
    this.show(await get<Compaction>("/v1/compaction"));
  }

  private async ask(): Promise<void> {
    await confirmAction({
      title: "Compact all tables?",
      content: [
        el(
          "p",
          {},
          "Every table is read and written anew, so that nothing deleted or replaced takes room. It may take a while; reads and writes go on meanwhile.",
        ),
      ],
      action: "Compact",
      act: async () => this.show(await request<Compaction>("POST", "/v1/compaction", { body: {} })),
    });
    this.button.focus();
  }

  private show({ isRunning, elapsedMs, failure }: Compaction): void {
    this.button.disabled = isRunning;
    const time = durationText(elapsedMs ?? 0);
    if (isRunning) this.text.textContent = `compacting for ${time}`;
    else if (failure !== null) this.text.textContent = `the last compaction failed: ${failure}`;
    else this.text.textContent = elapsedMs === null ? "" : `compacted in ${time}`;
  }
}
