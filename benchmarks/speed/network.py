"""Time of the forward pass: each engine of gliomask, the authors' code, two peers.

    python -m benchmarks.speed.network [--model RUN] [--slices STORE] [--authors CHECKOUT]
        [--network u2netp u2net] [--size 128 256] [--threads 1] [--rounds 11] [--json FILE]

Each contestant runs in a separate process with the C library's default allocator and takes one
turn of ``--batch`` slices in each round. The ratio is against the authors' code (grad mode, as
their test script calls it), or our PyTorch engine where that is not given; it is the median of the
rounds' own ratios. By default times are processor seconds of one thread, since what others do on
the machine counts little in them, and wall seconds of several.

GFLOP/s are effective: the operations of the convolutions as they are defined, by the time. A
runtime that needs fewer (Winograd) may exceed the peak, which is the fastest of the sgemm turns.
Agreement is with our PyTorch engine: the largest difference of a probability, and the pixels on
the other side of the threshold, as a share of those that are tumour.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.harness import (
    Clock,
    Timing,
    alternate,
    load,
    machine_facts,
    median,
    ratio,
    use_threads,
    usual_clock,
)
from benchmarks.peers.networks import (
    AUTHORS_CLASS,
    Arithmetic,
    arithmetic,
    monai_network,
    nnunet_network,
)
from benchmarks.random_model import SEQUENCES, random_model
from benchmarks.speed import forward
from benchmarks.speed.contestants import Contestant, Field
from benchmarks.speed.timed_slices import phantom_store, tumour_slices
from benchmarks.tables import Cell, Report, Table, benchmark_parser, run_and_output
from gliomask.core.volume import FloatArray
from gliomask.nets.cards import CARD_FILE, ModelCard, read_card
from gliomask.nets.u2net import build_model

AUTHORS, NNUNET, MONAI, SGEMM = "authors", "nnU-Net 2D", "MONAI UNet", "sgemm"
REFERENCE = "gliomask torch"
COLUMNS = (
    "contestant",
    "ms",
    "times as fast",
    "wall ms",
    "parameters",
    "GMAC",
    "GFLOP/s",
    "share of sgemm",
    "largest difference",
    "pixels flipped",
)
_CALIBRATION = 16
"""Slices that the statistics of random weights are of."""


@dataclass(frozen=True, eq=False)
class Block:
    """One table: a network at a size.

    Attributes:
        card: of the model.
        size: of the slices.
        images: (N, C, size, size) to run on.
        clock: clock of the measurement.
        batch: slices in a turn.
    """

    card: ModelCard
    size: int
    images: FloatArray
    clock: Clock
    batch: int

    def part(self, number: int) -> FloatArray:
        """The slices of a round, the same for all contestants."""
        at = (number * self.batch + np.arange(self.batch)) % len(self.images)
        return self.images[at]


def contestants(
    model: Path, card: ModelCard, size: int, options: argparse.Namespace
) -> dict[str, Contestant]:
    """All contestants by name."""
    entrants = {
        f"gliomask {name}": Contestant(partial(forward.ours, model, name, options.threads))
        for name in forward.ENGINES
    }
    if options.keep_memory:
        entrants[f"{REFERENCE}, memory kept"] = replace(entrants[REFERENCE], keeps_memory=True)
    if options.authors is not None and card.network in AUTHORS_CLASS:
        entrants[AUTHORS] = Contestant(partial(forward.authors, options.authors, model))
    if options.peers:
        shape = (card.in_channels, len(card.regions))
        entrants[NNUNET] = Contestant(partial(forward.nnunet, *shape, size))
        entrants[MONAI] = Contestant(partial(forward.monai, *shape))
    entrants[SGEMM] = Contestant(partial(forward.sgemm, options.sgemm))
    return entrants


def run_block(block: Block, field: Field, options: argparse.Namespace) -> Table:
    """Times all contestants, and compares the probabilities of the U²-Nets."""

    def turn(name: str, number: int) -> Timing:
        given = () if name == SGEMM else (block.part(number),)
        return field.workers[name].turn(*given)[0]

    timings = alternate(list(field.workers), options.rounds, turn, options.warm_up)
    probabilities = {
        name: np.concatenate([worker.turn(block.part(k))[1] for k in range(_parts(block))])
        for name, worker in field.workers.items()
        if name.startswith("gliomask") or name == AUTHORS
    }
    counted = _arithmetic(block, timings)
    peak = options.sgemm**3 * 2e-9 / min(t.by(block.clock) for t in timings.pop(SGEMM))
    against = AUTHORS if AUTHORS in timings else REFERENCE
    rows = []
    for name, own in timings.items():
        ms = 1000 * median(own, block.clock) / block.batch
        gflops = counted[name].gmac * 2000 / ms
        speed = str(ratio(timings[against], own, block.clock)) if against in timings else None
        facts: tuple[Cell, ...] = (counted[name].parameters, counted[name].gmac, gflops)
        wall = 1000 * median(own, "wall") / block.batch
        share = f"{gflops / peak:.0%}"
        rows.append((name, ms, speed, wall, *facts, share, *_agreement(block, probabilities, name)))
    title = f"{block.card.network}, {block.size} x {block.size}, {block.clock} time per slice"
    return Table(f"{title}, sgemm {peak:.1f} GFLOP/s", COLUMNS, tuple(rows))


def flipped(reference: FloatArray, own: FloatArray, threshold: float) -> float:
    """Pixels on the other side of the threshold by those that are tumour in the reference.

    NaN where the reference has no tumour.
    """
    truth = reference >= threshold
    tumour = int(truth.sum())
    return float((truth != (own >= threshold)).sum() / tumour) if tumour else float("nan")


def _agreement(
    block: Block, probabilities: Mapping[str, FloatArray], name: str
) -> tuple[Cell, Cell]:
    if name not in probabilities or REFERENCE not in probabilities:
        return None, None
    reference, own = probabilities[REFERENCE], probabilities[name]
    return float(np.abs(reference - own).max()), flipped(reference, own, block.card.threshold)


def _parts(block: Block) -> int:
    return max(1, len(block.images) // block.batch)


def _arithmetic(block: Block, names: Sequence[str] | Mapping[str, object]) -> dict[str, Arithmetic]:
    channels, regions = block.card.in_channels, len(block.card.regions)
    network = build_model(block.card.network, in_channels=channels, out_channels=regions)
    costs = dict.fromkeys(names, arithmetic(network, channels, block.size))
    if NNUNET in costs:
        peer = nnunet_network(channels, regions, block.size)
        costs[NNUNET] = arithmetic(peer, channels, block.size)
    if MONAI in costs:
        costs[MONAI] = arithmetic(monai_network(channels, regions), channels, block.size)
    return costs


def run(options: argparse.Namespace, place: Path) -> Report:
    """Measures all blocks; ``place`` is a folder for temporary files."""
    use_threads(options.threads)
    machine = {**machine_facts(options.threads), "load before": load()}
    store = options.slices or phantom_store(place)
    clock = options.clock or usual_clock(options.threads)
    tables, absent = [], {}
    for model in _models(options, store, place):
        card = read_card(model / CARD_FILE)
        for size in options.size or [card.size]:
            images = tumour_slices(store, card.sequences, size, options.batch * 4).images
            block = Block(card, size, images, clock, options.batch)
            with Field(contestants(model, card, size, options)) as field:
                tables.append(run_block(block, field, options))
                absent.update(field.absent)
    notes = [f"{name} does not take part: {why}" for name, why in absent.items()]
    return Report({**machine, "load after": load()}, tuple(tables), tuple(notes))


def _models(options: argparse.Namespace, store: Path, place: Path) -> list[Path]:
    if options.model is not None:
        return [options.model]
    size = max(options.size or [128])
    images = tumour_slices(store, SEQUENCES, size, _CALIBRATION).images
    return [random_model(place / name, name, images) for name in options.network]


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's options."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--model", type=Path, help="a run folder, instead of random weights")
    parser.add_argument("--slices", type=Path, metavar="STORE", help="instead of phantom slices")
    parser.add_argument("--authors", type=Path, help="a checkout of xuebinqin/U-2-Net")
    parser.add_argument("--network", nargs="+", default=["u2netp"], help="of random weights")
    parser.add_argument("--size", nargs="+", type=int, help="the model's own; 128 if random")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1, help="slices in a turn")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--warm-up", type=int, default=2, help="rounds that don't count")
    parser.add_argument("--clock", choices=("wall", "cpu"), help="cpu for one thread, else wall")
    parser.add_argument("--sgemm", type=int, default=2048, help="side of the product for the peak")
    parser.add_argument(
        "--keep-memory", action="store_true", help="our PyTorch engine with freed memory kept, too"
    )
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="U²-Nets only")
    return parser.parse_args(words)


if __name__ == "__main__":
    run_and_output(run, parse())
