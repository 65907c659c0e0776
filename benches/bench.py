"""Times every engine on every case, interleaved, each on one thread, and writes docs/performance.md.

    bench.py CARRYOUT FOLDER [--case NAME]... [--quick] [--rounds N]

Of a case, a round asks each engine once. The ratio of two engines is the median over the rounds of their ratio within
a round, so that a busy minute of the machine counts for both. What was measured is kept in FOLDER/results, a file a
case; the document is written when all are there. NAME is T1 to T5, T5s, T5m, curves, kinds, calls or csv.
"""

import argparse
import gzip
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time

import cases
import curves
import kinds
import native
import peers
import report

HERE = os.path.dirname(os.path.abspath(__file__))
PLACES = {"node": "Node", "chromium": "Chromium"}
BROWSER_ENGINES = {
    "T1": ("carryout", "onnxruntime-web", "m2cgen"),
    "T2": ("carryout", "onnxruntime-web", "m2cgen"),
    "T3": ("carryout", "onnxruntime-web", "m2cgen"),
    "T4": ("carryout", "onnxruntime-web", "m2cgen"),
    "T5s": ("carryout", "onnxruntime-web", "m2cgen"),
    "T5m": ("carryout", "onnxruntime-web", "m2cgen", "tfjs"),
}


def say(text):
    print(text, file=sys.stderr, flush=True)


class Worker:
    """A process that measures one engine on one case."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask(self, kind, **more):
        try:
            print(json.dumps({"kind": kind} | more), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line else {"error": f"its process ended ({self.process.wait()})"}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def first_line(error):
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def packed(carryout, model, out):
    """Packs a model; what `pack` prints is of no interest here."""
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([carryout, "pack", model, "-o", out, "--name", "bench-model"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return out


def download(root, name, engine):
    """Bytes that a visitor's browser asks for, each file gzipped."""
    modules, folder = f"{HERE}/node_modules", f"{root}/{name}"
    ort, tf = f"{modules}/onnxruntime-web/dist", f"{modules}/@tensorflow/tfjs-backend-wasm/dist"
    files = {
        "carryout": [f"{folder}/pkg/index.js", f"{folder}/pkg/model.wasm"],
        "onnxruntime-web": [f"{ort}/ort.wasm.min.mjs", f"{ort}/ort-wasm-simd-threaded.mjs", f"{ort}/ort-wasm-simd-threaded.wasm", f"{folder}/model.onnx"],
        "m2cgen": [f"{folder}/m2cgen.mjs"],
        "tfjs": [f"{root}/tfjs.mjs", f"{tf}/tfjs-backend-wasm-simd.wasm", f"{folder}/tfjs.json"],
    }[engine]
    return sum(len(gzip.compress(open(file, "rb").read(), 9)) for file in files)


def uninstalled():
    """What scripts/setup.sh could not install, with the error."""
    try:
        with open(f"{HERE}/../.toolchain/bench/failed") as file:
            return dict(line.rstrip("\n").split("\t", 1) for line in file)
    except FileNotFoundError:
        return {}


def bundle_tfjs(root):
    for kind, out in (("esm", "mjs"), ("cjs", "cjs")):
        options = ["--bundle", "--minify", "--log-level=error", f"--format={kind}", f"--outfile={root}/tfjs.{out}"]
        options += ["--platform=node"] if kind == "cjs" else []
        subprocess.run([f"{HERE}/node_modules/.bin/esbuild", f"{HERE}/tfjs.mjs", *options], check=True)


def measure(carryout, root, name, rounds, window):
    cases.make(root, name)
    model = f"{root}/{name}/{cases.MODELS[name]}"
    packed(carryout, model, f"{root}/{name}/pkg")
    failed, sizes = {}, {}
    forms = {"onnxruntime-web": peers.onnx, "m2cgen": peers.m2cgen, "tfjs": peers.tfjs, "onnxruntime": peers.onnx, "tl2cgen": peers.tl2cgen}

    def convertible(engine):
        try:
            if engine == "tfjs":
                bundle_tfjs(root)
            if engine in forms:
                forms[engine](root, name)
            return True
        except Exception as error:
            failed[engine] = first_line(error)
            return False

    workers = []
    for engine in BROWSER_ENGINES[name]:
        if convertible(engine):
            sizes[engine] = download(root, name, engine)
            for place, shown in PLACES.items():
                command = ["node", f"{HERE}/worker.mjs", place, root, name, engine, str(window)]
                workers.append(Worker(f"{engine} in {shown}", command))
    for engine in native.ENGINES[name]:
        if convertible(engine):
            command = [sys.executable, "-W", "ignore", f"{HERE}/native.py", root, name, engine, str(window)]
            workers.append(Worker(f"{engine}, native", command))

    engines = {}
    for worker in list(workers):
        say(f"{name}: {worker.name}")
        answer = worker.ask("check")
        if "error" in answer:
            failed[worker.name] = answer["error"][:200]
            worker.close()
            workers.remove(worker)
            continue
        engine = worker.name.split(" in ")[0]
        engines[worker.name] = {"check": answer, "batch": [], "row": [], "cold": [], "gz": sizes.get(engine)}
    loads = []
    for number in range(rounds):
        say(f"{name}: round {number + 1} of {rounds}")
        loads.append(os.getloadavg()[0])
        for worker in workers:
            found = engines[worker.name]
            for kind in ("batch", "row") + (("cold",) if found["gz"] else ()):
                # A slow start is not made seven times.
                if kind == "cold" and found["cold"] and sum(found["cold"]) > 3000:
                    continue
                answer = worker.ask(kind)
                if "error" in answer:
                    failed[f"{worker.name} ({kind})"] = answer["error"][:200]
                    continue
                found[kind].append(answer["ms" if kind == "cold" else "ns"])
                if kind == "batch":
                    found["rows"] = answer["rows"]
    for worker in workers:
        worker.close()
    return {"engines": engines, "failed": failed, "rounds": rounds, "loads": loads}


def calls(carryout, root, millions):
    """Memory and time over millions of calls in one process, read after each million."""
    cases.make(root, "T1")
    packed(carryout, f"{root}/T1/{cases.MODELS['T1']}", f"{root}/T1/pkg")
    command = ["node", "--expose-gc", f"{HERE}/calls.mjs", f"{root}/T1", str(millions)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {"millions": json.loads(found), "loads": [os.getloadavg()[0]]}


def csv(carryout, root, rounds, rows):
    """Whole processes: a CSV file in, the same with the predictions' columns out, by both."""
    import pandas

    loads, times = [], {}
    for name in ("T1", "T4"):
        cases.make(root, name)
        path, out = f"{root}/{name}/rows-{rows}.csv", f"{root}/{name}/out.csv"
        if not os.path.exists(path):
            say(f"csv: writing {rows} rows of {name}")
            frame = cases.rows_of(root, name)
            if name != "T4":
                frame = pandas.DataFrame(frame, columns=[f"x{k}" for k in range(frame.shape[1])])
            times_over = -(-rows // len(frame))
            pandas.concat([frame] * times_over)[:rows].to_csv(path, index=False)
        model = f"{root}/{name}/{cases.MODELS[name]}"
        commands = {
            "carryout": [carryout, "predict", model, path, "-o", out],
            "pandas": [sys.executable, f"{HERE}/csvs.py", model, path, out],
        }
        found = {engine: {"wall": [], "processor": []} for engine in commands}
        for number in range(rounds):
            loads.append(os.getloadavg()[0])
            for engine, command in commands.items():
                say(f"csv: {name}, {engine}, round {number + 1} of {rounds}")
                start, before = time.perf_counter(), os.times()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                after = os.times()
                found[engine]["wall"].append(time.perf_counter() - start)
                used = after.children_user + after.children_system - before.children_user - before.children_system
                found[engine]["processor"].append(used)
                os.remove(out)
        times[name] = {"engines": found, "rows": rows, "bytes": os.path.getsize(path)}
    return {"cases": times, "loads": loads}


def machine():
    text = open("/proc/cpuinfo").read() if os.path.exists("/proc/cpuinfo") else ""
    found = re.search(r"model name\s*: (.*)", text)
    return f"{os.cpu_count()} × {found[1] if found else platform.processor()}, {platform.system()} {platform.machine()}"


def versions():
    from importlib import metadata

    names = ("xgboost", "lightgbm", "scikit-learn", "onnxruntime", "lleaves", "tl2cgen", "m2cgen", "skl2onnx", "onnxmltools", "pandas", "numpy")
    found = {"Python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    found["Node"] = subprocess.check_output(["node", "--version"], text=True).strip().lstrip("v")
    with open(f"{HERE}/../.toolchain/chromium.env") as file:
        chromium = re.search(r"^export CHROMIUM=(.+)$", file.read(), re.M)[1].replace("\\", "")
    shown = subprocess.run([chromium, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    found["Chromium"] = re.search(r"\d[\d.]*", shown)[0]
    with open(f"{HERE}/package.json") as file:
        found |= json.load(file)["devDependencies"]
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("carryout")
    parser.add_argument("folder")
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, and no document")
    parser.add_argument("--rounds", type=int, help="5 for the cases, 3 for csv, if not given")
    arguments = parser.parse_args()
    root = os.path.abspath(arguments.folder)
    os.makedirs(f"{root}/results", exist_ok=True)
    every = [*cases.MAKE, "curves", "kinds", "calls", "csv"]
    wanted = [name for name in every if not arguments.case or any(name.startswith(case) for case in arguments.case)]
    if not wanted:
        parser.error(f"no such case; there are {', '.join(every)}")
    quick = arguments.quick
    rounds, window = (2, 0.1) if quick else (5, 0.4)
    rounds = arguments.rounds or rounds
    # The last commit that changed what is measured.
    git = ["git", "-C", f"{HERE}/..", "log", "-1", "--format=%h", "--", "src", "Cargo.lock"]
    commit = subprocess.run(git, stdout=subprocess.PIPE, text=True).stdout.strip()
    suffix = ".quick" if quick else ""
    for name in wanted:
        start = time.time()
        if name in ("curves", "kinds"):
            found = {"curves": curves, "kinds": kinds}[name].measure(arguments.carryout, root, rounds, window / 4, packed, Worker)
        elif name == "calls":
            found = calls(arguments.carryout, root, 1 if quick else 10)
        elif name == "csv":
            found = csv(arguments.carryout, root, min(rounds, 3), 100_000 if quick else 1_000_000)
        else:
            found = measure(arguments.carryout, root, name, rounds, window)
        found |= {"commit": commit, "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "seconds": time.time() - start}
        with open(f"{root}/results/{name}{suffix}.json", "w") as out:
            json.dump(found, out, indent=1)
        print(report.section(name, found), flush=True)
    if quick:
        return
    results = {}
    for name in every:
        try:
            with open(f"{root}/results/{name}.json") as file:
                results[name] = json.load(file)
        except FileNotFoundError:
            say(f"docs/performance.md is not written: {name} has not been measured yet")
            return
    report.write(f"{HERE}/../docs", results, {"machine": machine(), "versions": versions(), "uninstalled": uninstalled()})


if __name__ == "__main__":
    main()
