"""Recall against speed from the newest runs in bench/record/index, and growth from those in bench/record/growth, as SVG in docs/img/.

    python bench/plots.py [--check]

With --check nothing is written; exits 1 when a plot is not up to date. Needs no package: the pages of the repository show
these files as they are.
"""

import json
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "img"
RECORD = ROOT / "bench" / "record" / "index"
GROWTH = ROOT / "bench" / "record" / "growth"

TITLES = {
    "glove": "336,479 word vectors (glove), 100 dimensions, cosine",
    "mnist": "60,000 pictures of digits (mnist), 784 dimensions, euclidean",
    "fashion": "68,000 pictures of clothes (Fashion-MNIST), 784 dimensions, euclidean",
    "text256": "860,926 sentences, 256 dimensions, cosine",
    "gauss": "100,000 random vectors, 40 dimensions, cosine",
    "factors": "260,000 factors of a recommender, 96 dimensions, dot",
    "clusters": "random vectors in 20,000 clusters, 96 dimensions, euclidean",
    "clusters2m": "2,000,000 vectors in 20,000 clusters, 96 dimensions, euclidean",
}
NAMES = {"small": "linjin, small", "symqg": "SymphonyQG", "scann": "ScaNN", "lorann": "LoRANN", "glass": "Glass"}
# Okabe and Ito's colours, told apart by colour-blind people too; linjin's line is the thick one.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#7f7f7f"]
WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 50, 55
RECALLS = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999]
FROM, TO = 0.7, 0.9985


def place(recall):
    """Where a recall stands: 0.9, 0.99 and 0.999 are equally far apart."""
    return -math.log10(1 - recall)


def runs():
    """The newest run of each engine on each set."""
    found = {}
    for file in sorted(RECORD.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.setdefault(row["set"], {})[row["engine"]] = row
    return found


def frontier(points):
    """The points that no other one beats in both, within what is shown."""
    best, kept = 0.0, []
    for _, recall, speed in sorted(points, key=lambda point: -point[1]):
        if speed > best and FROM <= recall <= TO:
            kept.append((recall, speed))
        best = max(best, speed)
    return kept[::-1]


def head(name, title, what):
    """The lines that a plot of a set begins with."""
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f"<title>{title}: {TITLES[name]}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="bold">{TITLES[name]}</text>',
        f'<text x="{LEFT}" y="41" fill="#555">{what}</text>',
    ]


def draw(name, engines):
    """The plot of one set."""
    curves = {engine: frontier(row["points"]) for engine, row in engines.items()}
    curves = {engine: points for engine, points in curves.items() if len(points) > 1}
    order = sorted(curves, key=lambda engine: (engine != "linjin", engine))
    speeds = [speed for points in curves.values() for _, speed in points]
    low, high = math.log10(min(speeds)) - 0.05, math.log10(max(speeds)) + 0.05

    def x(recall):
        return LEFT + (place(recall) - place(FROM)) / (place(TO) - place(FROM)) * (WIDTH - LEFT - RIGHT)

    def y(speed):
        return HEIGHT - BOTTOM - (math.log10(speed) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    out = head(name, "Queries a second at a recall", "10 neighbours, one thread; further up and to the right is better")
    for recall in (recall for recall in RECALLS if FROM <= recall <= TO):
        out.append(f'<line x1="{x(recall):.1f}" x2="{x(recall):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(f'<text x="{x(recall):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{recall}</text>')
    for exponent in range(math.floor(low), math.ceil(high)):
        for digit in (1, 2, 5):
            speed = digit * 10.0**exponent
            if low <= math.log10(speed) <= high:
                out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(speed):.1f}" y2="{y(speed):.1f}" stroke="#ddd"/>')
                out.append(f'<text x="{LEFT - 8}" y="{y(speed) + 4:.1f}" text-anchor="end">{speed:,.0f}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(f'<text x="{middle}" y="{HEIGHT - 14}" text-anchor="middle">recall@10</text>')
    up = (TOP + HEIGHT - BOTTOM) / 2
    out.append(f'<text transform="translate(16 {up}) rotate(-90)" text-anchor="middle">queries a second</text>')
    for i, engine in reversed(list(enumerate(order))):
        colour, wide = COLOURS[i % len(COLOURS)], 4 if engine == "linjin" else 1.8
        path = " ".join(f"{x(recall):.1f},{y(speed):.1f}" for recall, speed in curves[engine])
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{wide}" stroke-linejoin="round"/>')
    for i, engine in enumerate(order):
        at, weight = TOP + 12 + 22 * i, "bold" if engine == "linjin" else "normal"
        left = WIDTH - RIGHT + 16
        width = 4 if engine == "linjin" else 1.8
        colour = COLOURS[i % len(COLOURS)]
        out.append(f'<line x1="{left}" x2="{left + 22}" y1="{at}" y2="{at}" stroke="{colour}" stroke-width="{width}"/>')
        out.append(f'<text x="{left + 28}" y="{at + 4}" font-weight="{weight}">{NAMES.get(engine, engine)}</text>')
    return "\n".join([*out, "</svg>", ""])


def grown():
    """The newest time of a query for each number of vectors, by sets."""
    found = {}
    for file in sorted(GROWTH.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.setdefault(row["set"], {})[row["n"]] = row
    return found


def draw_growth(name, rows):
    """The plot of how the time of a query grows; dashed, as it would if it grew like the logarithm from the second size on."""
    points = [(n, row["us"]) for n, row in sorted(rows.items()) if row["us"]]
    start, at_start = points[1]
    like_log = [(n, at_start * math.log(n) / math.log(start)) for n, _ in points[1:]]
    times = [us for _, us in points + like_log]
    low, high = math.log10(min(times)) - 0.05, math.log10(max(times)) + 0.05
    first, last = math.log10(points[0][0]), math.log10(points[-1][0])

    def x(n):
        return LEFT + (math.log10(n) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(us):
        return HEIGHT - BOTTOM - (math.log10(us) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def path(line):
        return " ".join(f"{x(n):.1f},{y(us):.1f}" for n, us in line)

    recall = next(iter(rows.values()))["recall"]
    what = f"microseconds a query, recall@10 {recall}, one thread; dashed: like the logarithm"
    out = head(name, "Microseconds a query by the number of vectors", what)
    for n, us in points:
        out.append(f'<line x1="{x(n):.1f}" x2="{x(n):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(f'<text x="{x(n):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{n:,}</text>')
        out.append(f'<text x="{x(n):.1f}" y="{y(us) - 10:.1f}" text-anchor="middle">{us:.0f}</text>')
        out.append(f'<circle cx="{x(n):.1f}" cy="{y(us):.1f}" r="4" fill="{COLOURS[0]}"/>')
    out.append(f'<polyline points="{path(points)}" fill="none" stroke="{COLOURS[0]}" stroke-width="4"/>')
    out.append(f'<polyline points="{path(like_log)}" fill="none" stroke="#7f7f7f" stroke-dasharray="6 5"/>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(f'<text x="{middle}" y="{HEIGHT - 14}" text-anchor="middle">vectors</text>')
    return "\n".join([*out, "</svg>", ""])


def main():
    """Writes the plots, or looks whether they are up to date."""
    stale = []
    pages = {f"speed-{name}.svg": draw(name, engines) for name, engines in runs().items()}
    pages |= {f"growth-{name}.svg": draw_growth(name, rows) for name, rows in grown().items()}
    for name, page in pages.items():
        file = PAGES / name
        if not file.exists() or file.read_text(encoding="utf-8") != page:
            stale.append(file)
            if "--check" not in sys.argv:
                PAGES.mkdir(exist_ok=True)
                file.write_text(page, encoding="utf-8")
    for file in stale:
        print(f"{file.relative_to(ROOT)}: {'not up to date; run make tables' if '--check' in sys.argv else 'written'}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
