"""Cases per hour: ``gliomask batch`` compared with ``gliomask predict`` on the same folder.

    python -m benchmarks.speed.batch [--data FOLDER | --cases 12] [--model NAME] [--threads 2]
        [--rounds 3] [--write nifti png html] [--before CHECKOUT] [--json FILE]

Each measurement is a new process with a new folder, and they take turns. ``predict`` gives
its network all threads; ``batch`` has as many worker processes, a thread for each. Start
and loading of the model are included. ``--before`` adds the ``predict`` of an earlier commit in a
checkout of its own; all use ``u2netp-lgg`` then, the only model that the commit before ``batch``
has, and keep fragments, whose removal has other rules since. The masks of all are compared byte by
byte. Processor seconds include all processes that were started; peak memory is that of the largest
one. On a machine with other work only the processor seconds are meaningful.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import (
    Timing,
    alternate,
    load,
    machine_facts,
    median,
    ratio,
    use_threads,
)
from benchmarks.processes import Ran, run_fresh
from benchmarks.tables import Report, Table, benchmark_parser, run_and_output
from gliomask.workflows.phantom import PhantomOptions, phantom

CONTESTANTS = ("predict", "batch")
BEFORE = "predict before"
_MODEL_BEFORE = "u2netp-lgg"
COLUMNS = (
    "contestant",
    "cases an hour",
    "wall s",
    "CPU s a case",
    "times as fast (wall)",
    "peak MiB",
)


def words(name: str, data: Path, out: Path, options: argparse.Namespace) -> list[str]:
    """The command of a contestant."""
    command = ["-m", "gliomask", name.split()[0], str(data), "--out", str(out), "--device", "cpu"]
    command += ["--write", ",".join(options.write)]
    command += ["--keep-all"] if options.before else []
    model = options.model or (_MODEL_BEFORE if options.before else None)
    command += ["--model", str(model)] if model else []
    return [*command, "--workers", str(options.threads)] if name == "batch" else command


def variables(name: str, options: argparse.Namespace) -> dict[str, str]:
    """Variables of a contestant: all processes that it starts are of the same checkout."""
    return {"PYTHONPATH": str(options.before.absolute() / "src")} if name == BEFORE else {}


def masks(out: Path) -> dict[str, bytes]:
    """Name -> content of the masks in a folder."""
    return {path.name: path.read_bytes() for path in sorted(out.glob("*_mask.nii.gz"))}


def compare(data: Path, options: argparse.Namespace) -> tuple[Table, str]:
    """The table, and a note on the masks."""
    names = CONTESTANTS if options.before is None else (BEFORE, *CONTESTANTS)
    ran: dict[str, list[Ran]] = {name: [] for name in names}
    written: dict[str, dict[str, bytes]] = {}

    def turn(name: str, _number: int) -> Timing:
        with tempfile.TemporaryDirectory() as folder:
            command = words(name, data, Path(folder) / "out", options)
            ran[name].append(run_fresh(command, variables(name, options)))
            written[name] = masks(Path(folder) / "out")
        return ran[name][-1].timing

    timings = alternate(names, options.rounds, turn, warm_up=0)
    cases = len(written["predict"])
    equal = all(contents == written["predict"] for contents in written.values())
    rows = []
    for name, own in timings.items():
        wall, cpu = median(own, "wall"), median(own, "cpu")
        faster = str(ratio(timings[names[0]], own, "wall"))
        peak = max(run.peak_mib for run in ran[name])
        rows.append((name, 3600 * cases / wall, wall, cpu / cases, faster, peak))
    note = f"{cases} masks, {'the same bytes' if equal else 'NOT the same bytes'}"
    return Table(f"{cases} cases, {options.threads} threads", COLUMNS, tuple(rows)), note


def run(options: argparse.Namespace, place: Path) -> Report:
    """Runs the comparison; ``place`` is a folder for temporary files."""
    use_threads(options.threads)
    machine = {**machine_facts(options.threads), "load before": load()}
    data = options.data
    if data is None:
        data = phantom(PhantomOptions(out=place / "phantom", patients=options.cases))
    table, note = compare(data, options)
    return Report({**machine, "load after": load()}, (table,), (note,))


def parse(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's options."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--data", type=Path, help="a folder of cases, instead of phantoms")
    parser.add_argument("--cases", type=int, default=12, help="phantoms to make")
    parser.add_argument("--model", help="a run folder or the name of a model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", type=Path, help="a checkout of an earlier commit")
    parser.add_argument("--write", nargs="+", default=["nifti", "png", "html"])
    return parser.parse_args(given)


if __name__ == "__main__":
    run_and_output(run, parse())
