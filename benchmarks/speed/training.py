"""Training speed in slices per second: gliomask, the authors' loop, two peers.

    python -m benchmarks.speed.training [--store STORE] [--authors CHECKOUT] [--network u2netp]
        [--size 128] [--batch 8] [--steps 2] [--threads 1] [--rounds 5] [--json FILE]

Each contestant runs in a separate process and does ``--steps`` steps in each round, in turn.
Ours is ``gliomask train`` with the default recipe: its loader with all augmentation, seven maps of
Dice and cross-entropy, AdamW, moving average, freed memory kept. The authors' is their loader and
network with their loss and Adam, and the C library's default allocator, as their users get it;
their loader runs in the same process, so that its work falls into its own turns. The peers get
batches that lie ready in memory, a cross-entropy and Adam: what their own frameworks do around a
step is not in it. The slices are of a store that is given, or of a phantom.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.harness import (
    Timing,
    alternate,
    load,
    machine_facts,
    median,
    ratio,
    use_threads,
    usual_clock,
)
from benchmarks.peers.networks import AUTHORS_CLASS
from benchmarks.speed import training_steps
from benchmarks.speed.contestants import Contestant, Field
from benchmarks.speed.timed_slices import Slices, phantom_store, tumour_slices
from benchmarks.speed.training_steps import Task
from benchmarks.tables import Report, Table, benchmark_parser, run_and_output
from gliomask.formats.pictures import write_picture

OURS, AUTHORS = "gliomask", "authors"
PEERS = {"nnU-Net 2D": "nnunet", "MONAI UNet": "monai"}
COLUMNS = ("contestant", "slices/s", "ms a step", "times as fast", "wall ms a step", "loss")
SEQUENCES = ("t1", "t1ce", "flair")
"""The authors' loader reads pictures of three colours."""
_SLICES = 64


def contestants(options: argparse.Namespace, place: Path) -> dict[str, Contestant]:
    """Contestants, with their data."""
    task = Task(options.network, options.size, options.batch, options.steps)
    store = options.store or phantom_store(place)
    slices = tumour_slices(store, SEQUENCES, options.size, _SLICES)
    entrants = {OURS: Contestant(partial(training_steps.ours, task, store, place / "run"))}
    if options.authors is not None and options.network in AUTHORS_CLASS:
        pictures = write_pictures(place / "pictures", slices)
        make = partial(training_steps.authors, task, options.authors, pictures)
        entrants[AUTHORS] = Contestant(make)
    if options.peers:
        arrays = place / "slices.npz"
        np.savez(arrays, images=slices.images, masks=slices.masks)
        for name, short in PEERS.items():
            entrants[name] = Contestant(partial(training_steps.peer, task, short, arrays))
    return entrants


def write_pictures(folder: Path, slices: Slices) -> Path:
    """Slices of three channels as PNGs in ``images`` and ``masks``: what the authors' loader reads.

    Intensities in [-5, 5] become 0 to 255.
    """
    for k, (image, mask) in enumerate(zip(slices.images, slices.masks, strict=True)):
        colours = np.clip((image.transpose(1, 2, 0) + 5) * 25.5, 0, 255).astype(np.uint8)
        write_picture(folder / "images" / f"{k:03d}.png", colours)
        write_picture(folder / "masks" / f"{k:03d}.png", mask.astype(np.uint8) * 255)
    return folder


def run(options: argparse.Namespace, place: Path) -> Report:
    """Runs the comparison; ``place`` is a folder for temporary files."""
    use_threads(options.threads)
    machine = {**machine_facts(options.threads), "load before": load()}
    losses: dict[str, list[float]] = {}
    with Field(contestants(options, place)) as field:

        def turn(name: str, number: int) -> Timing:
            timing, loss = field.workers[name].turn()
            losses.setdefault(name, []).append(loss)
            return timing

        timings = alternate(list(field.workers), options.rounds, turn)
        absent = field.absent
    table = _table(options, timings, {name: values[-1] for name, values in losses.items()})
    notes = [f"{name} does not take part: {why}" for name, why in absent.items()]
    return Report({**machine, "load after": load()}, (table,), tuple(notes))


def _table(
    options: argparse.Namespace, timings: dict[str, list[Timing]], losses: dict[str, float]
) -> Table:
    clock = options.clock or usual_clock(options.threads)
    against = AUTHORS if AUTHORS in timings else OURS
    rows = []
    for name, own in timings.items():
        seconds = median(own, clock) / options.steps
        speed = str(ratio(timings[against], own, clock)) if against in timings else None
        wall = 1000 * statistics.median(timing.wall_s for timing in own) / options.steps
        rows.append((name, options.batch / seconds, 1000 * seconds, speed, wall, losses[name]))
    side = options.size
    title = f"training {options.network}, {side} x {side}, batch {options.batch}, {clock} time"
    return Table(title, COLUMNS, tuple(rows))


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's options."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--store", type=Path, help="instead of a phantom's")
    parser.add_argument("--authors", type=Path, help="a checkout of xuebinqin/U-2-Net")
    parser.add_argument("--network", default="u2netp")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=2, help="in a turn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", choices=("wall", "cpu"), help="cpu for one thread, else wall")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="U²-Nets only")
    return parser.parse_args(words)


if __name__ == "__main__":
    run_and_output(run, parse())
