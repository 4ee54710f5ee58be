"""The long pages as the Rust documentation shows them.

    python docs/inside.py           writes crates/core/docs/*.md, which the module `docs` of the crate includes
    python docs/inside.py --check   says which of them are not what would be written

A published crate has only what lies in its folder, and links between pages lead elsewhere there: to modules, or nowhere.
"""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
INSIDE = DOCS.parent / "crates" / "core" / "docs"
# The pages, and the modules that they are there.
PAGES = {
    "rust.md": "rust",
    "guide.md": "guide",
    "file-format.md": "file_format",
    "reliability.md": "reliability",
    "architecture.md": "architecture",
    "design.md": "design",
}
# The line that leads to the other language.
LANGUAGE = r"^\[(?:English|正體中文)\]\([\w.-]+\)\n\n"
BLOCK = r"^```(\w*)\n(.*?)^```$"


def inside(text):
    """A page as the Rust documentation shows it."""
    text = re.sub(LANGUAGE, "", text, flags=re.M)
    text = re.sub(r"^<!-- .* -->\n", "", text, flags=re.M)
    rust, shown = [], []
    end = 0
    for block in re.finditer(BLOCK, text, flags=re.M | re.S):
        shown += [prose(text[end : block.start()]), code(block[1], block[2], rust)]
        end = block.end()
    return "".join([*shown, prose(text[end:])])


def prose(text):
    """What stands between blocks: without images, and with links to modules."""
    text = re.sub(r"^!\[[^\]]*\]\([^)]*\)\n+", "", text, flags=re.M)
    return re.sub(r"\[([^\]]+)\]\(([^)#\s]*)(#[^)\s]*)?\)", link, text)


def link(found):
    words, path, anchor = found[1], found[2], found[3] or ""
    if not path or ":" in path:
        return found[0]
    return f"[{words}](crate::docs::{PAGES[path]}{anchor})" if path in PAGES else words


def code(language, block, rust):
    """A block; one of Rust finds the names of those before it, and may fail with `?`."""
    if language != "rust":
        return f"```{language or 'text'}\n{block}```"
    hidden = "".join(f"# {line}".rstrip() + "\n" for line in "".join(rust).splitlines())
    rust.append(block)
    return f"```rust\n{hidden}{block}# Ok::<(), Box<dyn std::error::Error>>(())\n```"


def stale():
    """Pages that are not what would be written; writes nothing."""
    for page, module in PAGES.items():
        file = INSIDE / f"{module}.md"
        if not file.exists() or file.read_text(encoding="utf-8") != inside((DOCS / page).read_text(encoding="utf-8")):
            yield file


def main():
    if sys.argv[1:] == ["--check"]:
        found = [file.relative_to(DOCS.parent) for file in stale()]
        for file in found:
            print(f"{file}: not as its page in docs/ says; python docs/inside.py writes it")
        return len(found)
    if sys.argv[1:]:
        sys.exit(__doc__)
    INSIDE.mkdir(exist_ok=True)
    for page, module in PAGES.items():
        (INSIDE / f"{module}.md").write_text(inside((DOCS / page).read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
