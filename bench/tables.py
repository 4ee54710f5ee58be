"""The newest measurements of bench/record, as tables in docs/benchmarks.md, README.md and those in 繁體中文.

    python bench/tables.py [--check]

A table stands between `<!-- bench:begin -->` and `<!-- bench:end -->`. With --check nothing is written; exits 1 when
a page is not up to date.
"""

import json
import sys

from measure import RECORD, ROOT, number

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"

# section: English, 繁體中文
TITLES = {
    "queries": ("Queries a second, one thread", "每秒查詢數，單執行緒"),
    "build": ("Seconds to build 10 trees", "建立 10 棵樹的秒數"),
    "batch": ("Queries a second, a batch on two threads", "每秒查詢數，一批查詢，兩個執行緒"),
    "add": ("Items added a second, before the build", "每秒加入的項目數，建立之前"),
    "call": ("Microseconds a query, n = 10, a warm index of 1,000 x 40", "每個查詢的微秒數，n = 10，預熱過的 1,000 x 40 索引"),
    "load": ("Opening a large file", "開啟大檔案"),
    "change": ("Seconds until 1,000 more items are found", "再加入 1,000 個項目到可查詢的秒數"),
    "recall": ("Recall@10 of indexes each built itself", "各自建立的索引的 recall@10"),
}

# (section, words that the row's label must hold, English, 繁體中文)
PICKED = [
    (
        "queries",
        "gauss angular search_k 1,000",
        "queries a second, 100k x 40, search_k 1,000",
        "每秒查詢數，10 萬 x 40，search_k 1,000",
    ),
    ("queries", "gauss angular search_k 10,000", "the same, search_k 10,000", "同上，search_k 10,000"),
    ("queries", "x 100 angular search_k 10,000", "the same, 336k x 100", "同上，33.6 萬 x 100"),
    ("batch", "x 100 search_k 10,000", "10,000 queries in one call, two threads", "一次呼叫 10,000 個查詢，兩個執行緒"),
    (
        "build",
        "x 100 angular one",
        "seconds to build 10 trees, 336k x 100, one thread",
        "建立 10 棵樹的秒數，33.6 萬 x 100，單執行緒",
    ),
    ("add", "gauss rows", "items added a second, from a matrix", "每秒加入的項目數，來自矩陣"),
    ("change", "x 100", "seconds until 1,000 more items are found", "再加入 1,000 個項目到可查詢的秒數"),
    ("load", "first load", "milliseconds to open 1 GB", "開啟 1 GB 檔案的毫秒數"),
]
HEADS = {
    "en": ("", "Annoy 1.17.3", "linjin", "ratio"),
    "zh": ("", "Annoy 1.17.3", "linjin", "倍數"),
}
WAITING = {
    "en": "*Not measured yet: `make bench`, then `make tables`.*",
    "zh": "*尚未測量：先 `make bench`，再 `make tables`。*",
}
FROM = {
    "en": "Measured on {cpu}, {cores} cores, commit {commit}, {date}.",
    "zh": "測量環境：{cpu}，{cores} 核心，版本 {commit}，{date}。",
}


def newest():
    """{section: (facts of its run, its rows, its notes)}: of every section the last run that has it."""
    sections = {}
    for file in sorted(RECORD.glob("*-forest.jsonl")):
        facts = None
        for line in file.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            if item["kind"] == "run":
                facts, fresh = item, set()
                continue
            name = item["section"]
            if name not in fresh:
                fresh.add(name)
                sections[name] = (facts, [], [])
            sections[name][1 if item["kind"] == "row" else 2].append(item)
    return sections


def cells(row):
    """The row's three numbers, as text."""
    gain = f"{row['ratio']:.2f}x" if "ratio" in row else ""
    return number(row["annoy"], row["unit"]), number(row["linjin"], row["unit"]), gain


def table(heads, rows):
    """A Markdown table; all columns but the first are right-aligned."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def told(facts, language):
    """Where and when a section was measured."""
    return FROM[language].format(**{**facts, "date": facts["date"][:10]})


def full(sections, language):
    """Every section, for docs/benchmarks.md and the page in 繁體中文; labels and notes are as recorded."""
    parts = []
    for name, titles in TITLES.items():
        if name not in sections:
            continue
        facts, rows, notes = sections[name]
        unit = rows[0]["unit"]
        body = [(row["row"] + (f", {row['unit']}" if row["unit"] != unit else ""), *cells(row)) for row in rows]
        remarks = "".join(f"\n\n{note['text'][0].upper()}{note['text'][1:]}." for note in notes)
        heads = (unit, *HEADS[language][1:])
        parts.append(f"### {titles[language == 'zh']}\n\n{table(heads, body)}{remarks}\n\n{told(facts, language)}")
    return "\n\n".join(parts) or WAITING[language]


def short(sections, language):
    """The picked rows, for a README."""
    body, facts = [], None
    for section, words, *labels in PICKED:
        rows = sections.get(section, (None, [], []))[1]
        row = next((row for row in rows if matches(words, row["row"])), None)
        if row:
            facts = sections[section][0]
            body.append((labels[language == "zh"], *cells(row)))
    return f"{table(HEADS[language], body)}\n\n{told(facts, language)}" if body else WAITING[language]


def matches(words, label):
    """Whether every one of the words stands in the label."""
    return set(words.split()) <= {word.strip(",") for word in label.split()}


def main():
    """Writes the pages, or checks them."""
    sections = newest()
    pages = {
        "docs/benchmarks.md": full(sections, "en"),
        "docs/benchmarks.zh-TW.md": full(sections, "zh"),
        "README.md": short(sections, "en"),
        "README.zh-TW.md": short(sections, "zh"),
    }
    stale = []
    for name, text in pages.items():
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        head, rest = old.split(BEGIN)
        tail = rest.split(END)[1]
        new = f"{head}{BEGIN}\n{text}\n{END}{tail}"
        if new != old:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(new, encoding="utf-8")
    print(", ".join(stale) or "every table is up to date")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
