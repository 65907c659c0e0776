"""docs/performance.md and its pictures, from what bench.py measured."""

import math
import os
from statistics import median

import cases

ABOUT = {
    "trees": ("trees of depth 6, 28 columns", "trees"),
    "depth": ("100 trees, 28 columns", "depth of the trees"),
    "columns": ("100 trees of depth 6", "columns"),
    "rows": ("100 trees of depth 6, 28 columns", "rows a call"),
}


def short(ns):
    if ns < 9.95:
        return f"{ns:.1f} ns"
    if ns < 995:
        return f"{ns:.0f} ns"
    if ns < 9950:
        return f"{ns / 1e3:.2f} µs"
    if ns < 995e3:
        return f"{ns / 1e3:.0f} µs"
    return f"{ns / 1e6:.1f} ms"


def rate(ns):
    rows = 1e9 / ns
    return f"{rows / 1e6:.1f} M" if rows >= 995e3 else f"{rows / 1e3:.0f} k" if rows >= 9950 else f"{rows / 1e3:.1f} k"


def times(ratio):
    if ratio is None:
        return "–"
    return f"{ratio:.1f}×" if ratio < 99.5 else f"{ratio:,.0f}×".replace(",", " ")


def size(count):
    return f"{count / 1000:.1f} KB" if count < 99_500 else f"{count / 1000:.0f} KB" if count < 999_500 else f"{count / 1e6:.2f} MB"


def ratio(found, engine, kind="batch", ours="carryout in Chromium"):
    """How many times faster `ours` is: the median of the rounds' ratios. None where either was not measured."""
    a, b = (found["engines"].get(name, {}).get(kind) for name in (ours, engine))
    return median(theirs / mine for mine, theirs in zip(a, b)) if a and b else None


def load(found):
    low, high = min(found["loads"]), max(found["loads"])
    return f"load {low:.1f}" if round(low, 1) == round(high, 1) else f"load {low:.1f} to {high:.1f}"


def stamp(found):
    return f"*{found['date']}, commit {found['commit']}, {load(found)}"


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows])


def case(name, found):
    rows = []
    engines = found["engines"]
    for engine in sorted(engines, key=lambda engine: median(engines[engine]["batch"] or [math.inf])):
        one = engines[engine]
        bold = "**" if engine.startswith("carryout") else ""
        line = [f"{bold}{engine}{bold}"]
        if one["batch"]:
            ns = median(one["batch"])
            fewer = "" if one["rows"] == cases.ROWS else f" ({one['rows']} rows a call)"
            line += [short(ns) + fewer, rate(ns), times(ratio(found, engine))]
        else:
            line += ["–"] * 3
        line += [short(median(one["row"])), times(ratio(found, engine, "row"))] if one["row"] else ["–"] * 2
        line.append(size(one["gz"]) if one["gz"] else "–")
        line.append(f"{median(one['cold']):.1f} ({min(one['cold']):.1f})" if one["cold"] else "–")
        check = one["check"]
        labels = "–" if "labels" not in check else str(check["labels"])
        if check["rows"] != cases.ROWS and "labels" in check:
            labels += f" of {check['rows']}"
        worst = check["worst"]
        line += ["0" if worst == 0 else f"{worst:.0e}".replace("e-0", "e-"), labels]
        rows.append(line)
    head = ["engine", "batch, a row", "rows/s", "carryout is faster by", "one row", "by", "download, gz", "cold start, ms (least)", "worst error", "labels wrong"]
    lines = [table(head, rows), "", f"{stamp(found)}, {found['rounds']} rounds.*"]
    if found["failed"]:
        lines += ["", "Not measured:", ""] + [f"- {engine}: `{error}`" for engine, error in found["failed"].items()]
    return "\n".join(lines)


def curves(found):
    lines = []
    for curve in found["curves"]:
        what, _ = ABOUT[curve]
        lines.append(f"![Cost of a row against {ABOUT[curve][1]}; {what}](performance/{curve}.svg)")
    lines += ["", f"{stamp(found)}.* The same numbers, nanoseconds a row:", ""]
    for curve, series in found["curves"].items():
        points = [str(x) for x, _ in next(iter(series.values()))]
        rows = [[engine] + [f"{ns:.0f}" for _, ns in values] for engine, values in series.items()]
        lines += [table([ABOUT[curve][1]] + points, rows), ""]
    return "\n".join(lines).rstrip()


def kinds(found):
    rows = []
    for kind, times in found["kinds"].items():
        ours, own = times.values()
        rows.append([kind, short(ours), short(own), f"{own / ours:.1f}×"])
    about = "Models of 100 trees over 28 columns beside the library that made them. How values and thresholds lie decides by which cells values are ranked, and what splits ask by which kernel (`docs/design.md`)."
    return "\n".join([about, "", table(["model", "carryout in Chromium, a row", "its own library, native", "by"], rows), "", f"{stamp(found)}.*"])


def calls(found):
    rows = [
        [f"{one['calls'] // 1_000_000} M" if one["calls"] else "warmed up", short(one["ns"]), f"{one['heap'] / 1e6:.2f} MB", f"{one['rss'] / 1e6:.1f} MB"]
        for one in found["millions"]
    ]
    last, first = found["millions"][-1], found["millions"][1]
    change = f"From the first million to the last the heap changed by {(last['heap'] - first['heap']) / 1e3:+.1f} KB, the resident set by {(last['rss'] - first['rss']) / 1e6:+.1f} MB."
    return "\n".join([table(["calls", "a call", "heap after collection", "resident set"], rows), "", change, "", f"{stamp(found)}.*"])


def csv(found):
    rows = []
    for name, one in found["cases"].items():
        ours = one["engines"]["carryout"]
        for engine, spent in one["engines"].items():
            shown = {"carryout": "**`carryout predict`**", "pandas": f"pandas + {'XGBoost' if name == 'T1' else 'scikit-learn'}"}[engine]
            cells = [f"{name}, {one['bytes'] / 1e6:.0f} MB", shown]
            for clock in ("processor", "wall"):
                faster = median(b / a for a, b in zip(ours[clock], spent[clock]))
                cells += [f"{median(spent[clock]):.1f} s", times(faster)]
            rows.append(cells)
    head = ["case", "", "processor time", "carryout is faster by", "wall clock", "by"]
    count = next(iter(found["cases"].values()))["rows"]
    grouped = f"{count:,}".replace(",", " ")
    about = f"{grouped} rows: CSV in, the same CSV with the prediction's columns out, the start of the process included."
    return "\n".join([about, "", table(head, rows), "", f"{stamp(found)}, {len(found['loads']) // 2} rounds.*"])


def section(name, found):
    title = {
        "curves": "Cost against trees, depth, columns and rows",
        "kinds": "Other ensembles",
        "calls": "Ten million calls",
        "csv": "A million rows of CSV, natively",
    }.get(name)
    if title is None:
        return f"## {name}: {cases.ABOUT[name]}\n\n{case(name, found)}\n"
    return f"## {title}\n\n{ {'curves': curves, 'kinds': kinds, 'calls': calls, 'csv': csv}[name](found) }\n"


def targets(results):
    def batch(name, *engines):
        def measured():
            found = [ratio(results[name], engine) for engine in engines]
            return min((value for value in found if value is not None), default=None)

        return measured

    def row(name):
        return lambda: median(results[name]["engines"]["carryout in Chromium"]["row"]) / 1e3

    def gz(name):
        return lambda: results[name]["engines"]["carryout in Chromium"]["gz"] / 1e3

    cold = lambda: median(results["T1"]["engines"]["carryout in Node"]["cold"])
    wanted = [
        ("T1 batch over native XGBoost", 8, 10, "×", batch("T1", "XGBoost, native")),
        ("T2 batch over lleaves", 12, 18, "×", batch("T2", "lleaves, native")),
        ("T3 batch over the best of scikit-learn and onnxruntime native", 4, 6, "×", batch("T3", "scikit-learn, native", "onnxruntime, native")),
        ("T4 rows/s over onnxruntime native", 1, 3, "×", batch("T4", "onnxruntime, native")),
        ("T5 SVC rows/s over onnxruntime-web", 3, 8, "×", batch("T5s", "onnxruntime-web in Chromium")),
        ("T5 MLP rows/s over onnxruntime-web", 1, 3, "×", batch("T5m", "onnxruntime-web in Chromium")),
        ("one row, `predict(object)` in all: T1", 0.5, 0.3, "µs", row("T1")),
        ("one row: T2", 5, 3, "µs", row("T2")),
        ("one row: T3", 5, 3.5, "µs", row("T3")),
        ("one row: T4", 0.5, 0.3, "µs", row("T4")),
        ("gz download in all: T1", 65, 50, "KB", gz("T1")),
        ("gz download in all: T2", 330, 280, "KB", gz("T2")),
        ("gz download in all: T3", 1500, 1200, "KB", gz("T3")),
        ("cold start in Node, T1", 5, 2, "ms", cold),
    ]
    rows = []
    for what, least, aim, unit, measured in wanted:
        value = measured()
        if value is None:
            rows.append([what, f"{least} {unit}", f"{aim} {unit}", "not measured", ""])
            continue
        met = (lambda bound: value >= bound) if unit == "×" else (lambda bound: value <= bound)
        verdict = "aim met" if met(aim) else "met" if met(least) else "missed"
        rows.append([what, f"{least} {unit}", f"{aim} {unit}", f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}", verdict])
    return table(["in Chromium, unless it says Node", "at least", "aim", "measured", ""], rows)


HOW = """\
Made by `make bench`; it writes this page and its pictures. Models and rows come from `benches/cases.py` and fixed seeds; nothing
is downloaded but packages, pinned in `benches/`. Other models and machines give other numbers: run it on yours. A part that is
measured again replaces its own section; each says when, of which commit and beside what load.

- Every engine runs on one thread, in a process of its own, and predicts the same 100 000 rows (28 columns of float32, for T4 columns
  of numbers and strings, for T5 64 columns). One too slow for that gets fewer rows a call.
- A round asks each engine once, one after the other. Times are medians over the rounds, *carryout is faster by* is the median
  of the rounds' ratios to carryout in Chromium: a busy minute counts for all.
- *Batch* is the processor time of the thread that predicts (on Linux, by the scheduler's count; elsewhere the wall clock): what others
  on the machine take does not count. It has the peers' inputs ready: arrays of float32, arrays of strings; making tensors of them
  counts.
- *One row* is the median of calls (in JavaScript of chunks of a millisecond), by the wall clock. carryout is given an object by
  column; the peers have their row ready as they want it. Native engines are called from Python, lleaves by its C entry.
- *Download* is every file a visitor's browser asks for, gzipped, the model included. *Cold start* is module load to first
  prediction, by the wall clock, in a fresh process (Node) or page (Chromium, files from a server on the same machine); beside the
  median the least.
- *Worst error* is the largest difference from what the original library answers, in probability (for T2 in the value, for T5 SVC in the
  decision value), *labels wrong* those that differ.
- m2cgen exports no preprocessing: that of T4 and T5 is written by hand beside its code, and so are the votes of the SVC.
"""


def write(docs, results, about):
    """Writes performance.md and performance/*.svg."""
    os.makedirs(f"{docs}/performance", exist_ok=True)
    for curve, series in results["curves"]["curves"].items():
        with open(f"{docs}/performance/{curve}.svg", "w") as out:
            out.write(chart(curve, series))
    parts = ["# Performance\n", HOW, f"Machine: {about['machine']}.", ""]
    parts += ["Versions: " + ", ".join(f"{name} {version}" for name, version in about["versions"].items()) + ".", ""]
    if about["uninstalled"]:
        parts += ["Peers that did not install here:", ""]
        parts += [f"- {name}: `{error}`" for name, error in about["uninstalled"].items()] + [""]
    parts += ["## What was to be shown\n", targets(results), ""]
    parts += [section(name, found) for name, found in results.items()]
    parts += ["## Doing it again\n"]
    parts += ["```\nmake bench                  # everything; writes this page\nmake bench CASE=T1          # one of T1 to T5, T5s, T5m, curves, kinds, calls, csv", "make bench CASE=T1 QUICK=1  # roughly, in a minute; prints and writes nothing\nmake size                   # raw, gzip and brotli sizes of packages\n```\n"]
    with open(f"{docs}/performance.md", "w") as out:
        out.write("\n".join(parts))


def chart(curve, series):
    """A picture of one curve, logarithmic but for the depth; readable on light and dark pages."""
    width, height, left, right, top, bottom = 640, 360, 70, 24, 56, 48
    xs = [x for values in series.values() for x, _ in values]
    ys = [y for values in series.values() for _, y in values]
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def px(x):
        scaled = (lambda x: x) if curve == "depth" else math.log
        a, b = scaled(min(xs)), scaled(max(xs))
        return left + (scaled(x) - a) / (b - a) * (width - left - right)

    def py(y):
        return top + (high - math.log10(y)) / (high - low) * (height - top - bottom)

    def label(ns):
        return f"{ns:g} ns" if ns < 1e3 else f"{ns / 1e3:g} µs" if ns < 1e6 else f"{ns / 1e6:g} ms"

    what, axis = ABOUT[curve]
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>Cost of a row against {axis}: {what}</title>",
        "<style>",
        "text { font: 13px system-ui, sans-serif; fill: #57606a } .name { font-weight: 600 }",
        ".back { fill: #ffffff } .grid { stroke: #d0d7de } .a { stroke: #0969da; fill: #0969da } .b { stroke: #bc4c00; fill: #bc4c00 }",
        "text.a, text.b { stroke: none } polyline { fill: none !important; stroke-width: 2.5 } .title { fill: #1f2328; font-size: 15px; font-weight: 600 }",
        "@media (prefers-color-scheme: dark) { .back { fill: #0d1117 } text { fill: #9198a1 } .grid { stroke: #30363d } .title { fill: #f0f6fc }",
        "  .a { stroke: #58a6ff; fill: #58a6ff } .b { stroke: #f0883e; fill: #f0883e } }",
        "</style>",
        f'<rect class="back" width="{width}" height="{height}" rx="6"/>',
        f'<text class="title" x="{left}" y="26">Cost of a row against {axis}</text>',
        f'<text x="{left}" y="44">{what}</text>',
    ]
    for power in range(low, high + 1):
        y = py(10**power)
        out.append(f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{label(10**power)}</text>')
    for x in sorted(set(xs)):
        out.append(f'<text x="{px(x):.1f}" y="{height - bottom + 20}" text-anchor="middle">{f"{x // 1000}k" if x >= 1000 else x}</text>')
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 8}" text-anchor="middle">{axis}</text>')
    for kind, (engine, values) in zip("ab", series.items()):
        points = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in values)
        out.append(f'<polyline class="{kind}" points="{points}"/>')
        out += [f'<circle class="{kind}" cx="{px(x):.1f}" cy="{py(y):.1f}" r="3.5"/>' for x, y in values]
    x = width - right
    for kind, engine, y in zip("ba", reversed(list(series)), (26, 44)):
        out.append(f'<text class="{kind} name" x="{x}" y="{y}" text-anchor="end">{engine}</text>')
    return "\n".join(out + ["</svg>", ""])
