// One static site of everything there is to read: README, guides, the other pages, and the public names of every entry point that
// package.json exports. `npm run docs` builds it in site/; anything that leads nowhere or has no docstring fails.
import { entryPoints } from "./scripts/typedoc-pages.mjs";

/** @type {Partial<import("typedoc").TypeDocOptions>} */
export default {
  name: "Stillwater",
  entryPoints: [...entryPoints().values()],
  tsconfig: "tsconfig.json",
  plugin: ["./scripts/typedoc-pages.mjs"],
  projectDocuments: ["docs/guides/*.md", "docs/*.md", "CHANGELOG.md", "examples/README.md"],
  out: "site",
  customCss: "scripts/typedoc.css",
  excludePrivate: true,
  excludeInternal: true,
  excludeExternals: true,
  hideGenerator: true,
  disableGit: true,
  disableSources: true,
  externalSymbolLinkMappings: { "abstract-level": { "*": "https://github.com/Level/abstract-level#readme" } },
  searchInDocuments: true,
  navigation: { includeGroups: true, includeFolders: false },
  groupOrder: ["Guides", "Pages", "Modules", "*"],
  sort: ["alphabetical-ignoring-documents"],
  kindSortOrder: ["Document", "Module", "Function", "Class", "Interface", "TypeAlias", "Variable"],
  validation: { notExported: false, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: true },
  requiredToBeDocumented: ["Class", "Interface", "TypeAlias", "Variable"],
  treatWarningsAsErrors: true,
};
