"""Time and memory of a complete case, from a cold start to the output files.

    python -m benchmarks.speed.case --model RUN [--authors CHECKOUT] [--case FOLDER]
        [--examination nifti dicom] [--engine NAME...] [--threads 1] [--rounds 3] [--json FILE]

Each measurement is a fresh process, and they take turns. ``gliomask predict`` with its usual
outputs, with ``--quick``, and with ``--quick --write nifti``; and for NIfTI the plain pipeline
(``plain_pipeline.py``), which writes nothing but a mask. Two examinations:

- ``nifti``: four sequences of BraTS' size (240 x 240 x 155) as ``.nii.gz``; a folder that is
  named, or a head that is made here;
- ``dicom``: a study of the model's sequences, 200 slices of 256 x 256 each, made here.

Wall and processor seconds and peak resident memory are those of the whole process; steps are
those in the record of the case; the rest is start-up and writing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.examinations import BRATS_SHAPE, DICOM_SHAPE, make_dicom, make_nifti
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
from gliomask.nets.cards import CARD_FILE, ModelCard, read_card
from gliomask.studies.find import survey

PLAIN = "plain pipeline"
COLUMNS = (
    "contestant",
    "wall s",
    "CPU s",
    "times as fast (wall)",
    "times as fast (CPU)",
    "peak MiB",
    "files MiB",
    "steps",
)
WAYS = {
    "predict": (),
    "predict --quick": ("--quick",),
    "predict --quick --write nifti": ("--quick", "--write", "nifti"),
}
"""Name -> options of the command."""


@dataclass(frozen=True)
class Outcome:
    """One run of a contestant.

    Attributes:
        ran: seconds and memory; written_mib: of all its files.
        steps: step -> seconds, from the case's record; none for the plain pipeline.
    """

    ran: Ran
    written_mib: float
    steps: dict[str, float]


def commands(
    examination: Path, options: argparse.Namespace, card: ModelCard
) -> dict[str, list[str]]:
    """Contestant -> the words of its command; ``{out}`` stands for the folder to write."""
    words_of = {}
    for engine in options.engine or (None,):
        for name, more in WAYS.items():
            words = ["-m", "gliomask", "predict", str(examination), "--out", "{out}"]
            words += ["--model", str(options.model), "--device", "cpu", *more]
            chosen = [] if engine is None else ["--engine", engine]
            words_of[" ".join([name, *chosen])] = [*words, *chosen]
    if options.plain and examination.name != "dicom":
        words = ["-m", "benchmarks.peers.plain_pipeline", *images(examination, card)]
        words += ["--model", str(options.model), "--out", "{out}/mask.nii.gz"]
        checkout = [] if options.authors is None else ["--authors", str(options.authors)]
        words_of[PLAIN] = [*words, *checkout]
    return words_of


def images(examination: Path, card: ModelCard) -> list[str]:
    """The files of the model's sequences in its order."""
    ((case,), _) = survey((examination,))
    return [str(case.images[name].paths[0]) for name in card.sequences]


def measure(words: Sequence[str]) -> Outcome:
    """Runs a command once."""
    with tempfile.TemporaryDirectory() as out:
        ran = run_fresh([word.replace("{out}", out) for word in words])
        records = [json.loads(path.read_text()) for path in Path(out).glob("*.json")]
        size = sum(path.stat().st_size for path in Path(out).rglob("*") if path.is_file())
    return Outcome(ran, size / 2**20, records[0]["timings_s"] if records else {})


def compare(title: str, examination: Path, options: argparse.Namespace, card: ModelCard) -> Table:
    """All contestants on one examination."""
    words = commands(examination, options, card)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in words}

    def turn(name: str, number: int) -> Timing:
        outcome = measure(words[name])
        outcomes[name].append(outcome)
        return outcome.ran.timing

    timings = alternate(list(words), options.rounds, turn, warm_up=0)
    against = timings.get(PLAIN)
    rows = []
    for name, own in timings.items():
        faster = [None, None] if against is None else _faster(against, own)
        peak = max(outcome.ran.peak_mib for outcome in outcomes[name])
        written = outcomes[name][-1].written_mib
        seconds = (median(own, "wall"), median(own, "cpu"))
        rows.append((name, *seconds, *faster, peak, written, _steps(outcomes[name])))
    return Table(title, COLUMNS, tuple(rows))


def _faster(against: list[Timing], own: list[Timing]) -> list[str]:
    return [str(ratio(against, own, "wall")), str(ratio(against, own, "cpu"))]


def _steps(outcomes: Sequence[Outcome]) -> str:
    """Median seconds of each step."""
    names = outcomes[0].steps
    medians = {
        name: statistics.median(outcome.steps[name] for outcome in outcomes) for name in names
    }
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in medians.items())


def run(options: argparse.Namespace, place: Path) -> Report:
    """Runs the comparison; ``place`` is a folder for temporary files."""
    use_threads(options.threads)
    machine = {**machine_facts(options.threads), "load before": load()}
    card = read_card(options.model / CARD_FILE)
    tables = []
    for kind in options.examination:
        if kind == "nifti":
            shape = BRATS_SHAPE if options.shape is None else tuple(options.shape)
            examination = options.case or make_nifti(place, shape)
        else:
            shape = DICOM_SHAPE if options.shape is None else tuple(options.shape)
            examination = make_dicom(place / "dicom", card.sequences, shape)
        title = f"{kind}, {card.network} at {card.size} x {card.size}"
        tables.append(compare(title, examination, options, card))
    return Report({**machine, "load after": load()}, tuple(tables))


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's options."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a run folder")
    parser.add_argument("--authors", type=Path, help="a checkout of xuebinqin/U-2-Net")
    parser.add_argument("--case", type=Path, help="a folder with the sequences, instead of ours")
    parser.add_argument(
        "--examination", nargs="+", choices=("nifti", "dicom"), default=["nifti", "dicom"]
    )
    parser.add_argument("--shape", nargs=3, type=int, help="of what is made, voxels")
    parser.add_argument("--no-plain", dest="plain", action="store_false", help="only ours")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", nargs="+", help="each of these, instead of the default")
    return parser.parse_args(words)


if __name__ == "__main__":
    run_and_output(run, parse())
