/** Light or dark: as the system says, until somebody has chosen; the choice is remembered where a page can remember things. */

const THEME_KEY = "stillwater-theme";

/** Takes up what was chosen before. */
export function startTheme(): void {
  const theme = rememberedTheme();
  if (theme !== null) document.documentElement.dataset["theme"] = theme;
}

export function nextTheme(): void {
  const { dataset } = document.documentElement;
  const isDark =
    (dataset["theme"] ?? "") === ""
      ? matchMedia("(prefers-color-scheme: dark)").matches
      : dataset["theme"] === "dark";
  dataset["theme"] = isDark ? "light" : "dark";
  remember(dataset["theme"]);
}

/** Pages from files may have no storage; then the choice lasts as long as the page. */
function remember(theme: string): void {
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

function rememberedTheme(): string | null {
  try {
    return localStorage.getItem(THEME_KEY);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return null;
  }
}
