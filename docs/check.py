"""Holds the pages to the truth.

    python docs/check.py links    every relative link, heading link and `path/to/file` in a page leads somewhere, and a page
                                  in 繁體中文 has the headings and the code of the English one
    python docs/check.py run      every Python block of a page runs; needs linjin, numpy, polars and pyarrow

The blocks of a page share their names, and find `vectors` (1000, 40), `queries` (20, 40), `query`, `vector` and
`new_vector` (40,) there already. They run in an empty folder. A block after `<!-- check: skip -->` only has to compile.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("crates", "bench", "docs", "examples", "fuzz", "integrations", "requirements", ".ci", ".github")


def pages():
    """The Markdown pages of the repository."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md"), *ROOT.glob("integrations/*.md"), *ROOT.glob("crates/*/*.md")]
    return sorted(found)


def without_code(text):
    """The page with its fenced blocks blanked, line for line."""
    return re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.M | re.S)


def slugs(text):
    """The names under which a page's headings can be linked."""
    text = without_code(text)
    heads = re.findall(r"^#+ (.+)$", text, flags=re.M)
    return set(re.findall(r'<a id="([^"]+)">', text)) | {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def dead_links(page):
    """What a page names that is not there, as (line, what)."""
    text = without_code(page.read_text(encoding="utf-8"))
    for n, line in enumerate(text.split("\n"), 1):
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (anchor and anchor not in slugs(file.read_text(encoding="utf-8"))):
                yield n, target
        for path in re.findall(rf"`((?:{'|'.join(re.escape(folder) for folder in FOLDERS)})/[\w./-]*)`", line):
            if not (ROOT / path).exists():
                yield n, path


def parts(page):
    """What two languages of a page share: the levels of its headings, and its code without the comments."""
    text = page.read_text(encoding="utf-8")
    code = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.M | re.S)
    levels = re.findall(r"^(#+) ", without_code(text), flags=re.M)
    return levels, [(kind, re.sub(r" *(?:#|//) .*", "", block)) for kind, block in code]


def unlike(page):
    """Whether a page in 繁體中文 lacks a heading or a line of code of the English one, or has one more."""
    if page.name.endswith(".zh-TW.md"):
        original = page.with_name(page.name.replace(".zh-TW.md", ".md"))
        if not original.exists() or parts(page) != parts(original):
            yield 1, f"headings and code as in {original.name}"


def links():
    """Prints dead links; returns how many there are."""
    found = [(page, *dead) for page in pages() for dead in [*dead_links(page), *unlike(page)]]
    for page, line, what in found:
        print(f"{page.relative_to(ROOT)}:{line}: nothing at {what}")
    print(f"{len(pages())} pages, {len(found)} dead links")
    return len(found)


def run():
    """Runs the Python blocks; an exception ends the run."""
    import numpy as np

    total = 0
    for page in pages():
        blocks = list(re.finditer(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.M | re.S))
        if not blocks:
            continue
        rng = np.random.default_rng(1)
        names = {
            "vectors": rng.normal(size=(1000, 40)).astype(np.float32),
            "queries": rng.normal(size=(20, 40)).astype(np.float32),
            "query": rng.normal(size=40).astype(np.float32),
            "vector": rng.normal(size=40).astype(np.float32),
            "new_vector": rng.normal(size=40).astype(np.float32),
        }
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for block in blocks:
                lines = block.string[: block.start(1)].count("\n")
                code = compile("\n" * lines + block[1], str(page.relative_to(ROOT)), "exec")
                if not block.string[: block.start()].rstrip().endswith("<!-- check: skip -->"):
                    exec(code, names)
            os.chdir(ROOT)
        print(f"{page.relative_to(ROOT)}: {len(blocks)} blocks of Python ran")
        total += len(blocks)
    return 0 if total else 1


if __name__ == "__main__":
    if sys.argv[1:] not in (["links"], ["run"]):
        sys.exit(__doc__)
    sys.exit(1 if {"links": links, "run": run}[sys.argv[1]]() else 0)
