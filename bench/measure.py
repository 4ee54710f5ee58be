"""How the benchmarks measure: turns in one process, medians of ratios, a printed table, and a record that is kept."""

import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORD = Path(__file__).resolve().parent / "record"


def seconds(call):
    """How long one call takes, the freeing of what it returns left out."""
    start = time.perf_counter()
    kept = call()
    took = time.perf_counter() - start
    del kept
    return took


def in_turns(calls, rounds):
    """Seconds of every call in every round, as {name: [seconds, ...]}. The order turns around from round to round."""
    took = {name: [] for name in calls}
    for turn in range(rounds):
        for name in list(calls) if turn % 2 == 0 else reversed(list(calls)):
            took[name].append(seconds(calls[name]))
    return took


def ratio(slow, fast):
    """The median over the rounds of slow / fast, and the smallest and the largest."""
    each = [a / b for a, b in zip(slow, fast)]
    return statistics.median(each), min(each), max(each)


def said(*command):
    """The first line a command prints, or an empty string."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip().split("\n")[0]


def cpu():
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return said("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def circumstances():
    """The machine, the versions and the commit: what a number means nothing without."""
    dirty = "+" if said("git", "status", "--porcelain", "--untracked-files=no") else ""
    versions = {name: importlib.metadata.version(name) for name in ("linjin", "annoy", "numpy") if installed(name)}
    import annoy

    return {
        "kind": "run",
        "date": datetime.datetime.now().isoformat(timespec="seconds"),
        "commit": (said("git", "rev-parse", "--short", "HEAD") or "none") + dirty,
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "rustc": said("rustc", "--version"),
        "annoy_compiled": annoy.annoylib.__doc__ if hasattr(annoy, "annoylib") else "",
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        **versions,
    }


def installed(name):
    """Whether a distribution of this name is installed."""
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def number(value, unit):
    """A measured value as the table shows it."""
    if value is None:
        return "-"
    if unit == "recall":
        return f"{value:.4f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


class Table:
    """Prints each row as it is measured and appends it to bench/record/<date>-<name>.jsonl."""

    def __init__(self, name, keep=True):
        self.facts = circumstances()
        self.lines = None
        self.below = 0
        if keep:
            RECORD.mkdir(exist_ok=True)
            self.lines = open(RECORD / f"{self.facts['date'][:10]}-{name}.jsonl", "a", encoding="utf-8")
            self.write(self.facts)
        print(f"{self.facts['cpu']}, {self.facts['cores']} cores, commit {self.facts['commit']}")
        print(
            "  ".join(f"{key} {self.facts[key]}" for key in ("linjin", "annoy", "numpy", "python") if key in self.facts)
        )

    def write(self, row):
        """One line of the record."""
        if self.lines:
            self.lines.write(json.dumps(row) + "\n")
            self.lines.flush()

    def section(self, name, title):
        """A heading; the rows that follow belong to it."""
        self.name = name
        print(f"\n{title}\n\n  {'':<52}{'annoy':>12}{'linjin':>12}{'ratio':>9}   bar")

    def row(self, label, unit, annoy, linjin, times=None, *, at_least=None, at_most=None, **more):
        """One row. `times` is linjin's gain, (median, least, most) or a number; `at_most` is a bar on the value instead."""
        times = times if isinstance(times, tuple) or times is None else (times, None, None)
        met = None
        if at_least is not None and times:
            met = times[0] >= at_least
        if at_most is not None and linjin is not None:
            met = linjin <= at_most
        self.below += met is False
        bar = f"{at_least:g}x" if at_least is not None else f"{at_most:g} {unit}" if at_most is not None else ""
        gain = f"{times[0]:.2f}x" if times else ""
        mark = {True: "met", False: "BELOW", None: ""}[met]
        print(f"  {label:<52}{number(annoy, unit):>12}{number(linjin, unit):>12}{gain:>9}   {bar:<8}{mark}", flush=True)
        self.write(
            {"kind": "row", "section": self.name, "row": label, "unit": unit, "annoy": annoy, "linjin": linjin}
            | ({"ratio": times[0], "ratio_least": times[1], "ratio_most": times[2]} if times else {})
            | ({"bar": at_least if at_least is not None else at_most, "met": met} if bar else {})
            | more
        )

    def note(self, text):
        """A line under the rows, kept in the record too."""
        print(f"  {text}")
        self.write({"kind": "note", "section": self.name, "text": text})
