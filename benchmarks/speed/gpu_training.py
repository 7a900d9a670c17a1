"""Speed of training and segmentation on a GPU, relative to its peak rates.

    python -m benchmarks.speed.gpu_training [--full] [--authors U-2-Net] [--out FILE]
    python -m benchmarks.speed.gpu_training --device cpu --tiny        (seconds; shows that it runs)

On synthetic data of the size of the LGG set (3143 training and 786 validation slices, 3 sequences):

- 100 epochs of U²-NetP at 128² and of U²-Net at 256² by the recipe ``default``, augmentation,
  moving average and validation after each epoch included; from ``--epochs`` of them, or all with
  ``--full``;
- 155 slices of U²-Net at 256², as ``gliomask predict --device cuda`` runs it (float32, from and to
  main memory) and as bare network in bfloat16;
- with ``--authors`` a step of the authors' network and loss, float32, without their loader;
- what the card copies and multiplies at most, and the share of it that a step reaches.

Targets on one H200: 100 epochs of U²-NetP at 128² below 60 s, of U²-Net at 256² below 4 min, 155
slices below 0.15 s. Times of steps are medians between CUDA events after a warm-up; clocks are
left as they are and written down as found.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from benchmarks.speed.synthetic_slices import synthetic_slices
from gliomask.config import Recipe, load_recipe
from gliomask.inference.engines.pytorch import TorchEngine
from gliomask.learning.batches import TrainingBatches, Worker, channels_last
from gliomask.learning.devices import Machines, start_fabric
from gliomask.learning.ema import MovingAverage
from gliomask.learning.execution import Execution, Stepper, choose_execution, set_up
from gliomask.learning.optimiser import learning_rate, set_learning_rate
from gliomask.learning.validation import Validation
from gliomask.nets.u2net import build_model

EPOCHS, SEQUENCES = 100, ("t1", "t1ce", "flair")
BYTES_OF_VALUE = 16
"""The least traffic that fused kernels in half precision have for each value that a convolution
gives, forward and backward: written, normalised, read by the next one, and the same back."""
QUERY = "name,driver_version,power.limit,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem"


@dataclass(frozen=True)
class Size:
    """Size of the measurements.

    Attributes:
        train, validation: slices; batch: of a step; rounds: of each other measurement.
        copy_bytes, matrix: of the ceilings.
    """

    train: int = 3143
    validation: int = 786
    batch: int = 16
    rounds: int = 30
    copy_bytes: int = 2**30
    matrix: int = 8192


FULL = Size()
TINY = Size(train=12, validation=4, batch=4, rounds=2, copy_bytes=2**20, matrix=64)
TRAININGS = (("u2netp", 128), ("u2net", 256))
TINY_TRAININGS = (("u2net-tiny", 32),)


def main() -> None:
    """Prints JSON, or writes it."""
    options = _arguments()
    size, device = TINY if options.tiny else FULL, torch.device(options.device)
    ceilings = measure_ceilings(device, size)
    trainings = TINY_TRAININGS if options.tiny else TRAININGS
    result = {
        "machine": machine(device),
        "ceilings": ceilings,
        "training": [train(name, side, options, ceilings) for name, side in trainings],
        "inference": infer("u2net-tiny" if options.tiny else "u2net", trainings[-1][1], options),
    }
    if options.authors:
        result["authors"] = [authors(name, side, options) for name, side in trainings]
    text = json.dumps(result, indent=2)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--execution", choices=["auto", "eager", "graph", "compiled"])
    parser.add_argument("--epochs", type=int, default=2, help="measured after a first one")
    parser.add_argument("--full", action="store_true", help=f"all {EPOCHS} epochs")
    parser.add_argument("--batch", type=int, help="slices in a step")
    parser.add_argument("--authors", type=Path, help="checkout of the authors' repository")
    parser.add_argument("--tiny", action="store_true", help="a toy, to see that it runs")
    parser.add_argument("--out", type=Path, help="file for the JSON")
    return parser.parse_args()


def machine(device: torch.device) -> dict[str, Any]:
    """Software and GPU of the measurement."""
    known: dict[str, Any] = {"torch": torch.__version__, "device": device.type}
    if device.type == "cuda":
        known |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    program = shutil.which("nvidia-smi")
    if program:
        command = [program, f"--query-gpu={QUERY}", "--format=csv"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        known["nvidia_smi"] = done.stdout.strip().splitlines()
    return known


def times_ms(work: Callable[[], object], rounds: int, device: torch.device) -> list[float]:
    """Milliseconds of each round on the device; nothing is waited for in between."""
    if device.type == "cpu":
        ticks = [time.perf_counter()]
        for _ in range(rounds):
            work()
            ticks.append(time.perf_counter())
        return [1e3 * (after - before) for before, after in pairwise(ticks)]
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(rounds + 1)]
    marks[0].record()
    for mark in marks[1:]:
        work()
        mark.record()
    torch.cuda.synchronize()
    return [before.elapsed_time(after) for before, after in pairwise(marks)]


def measure_ceilings(device: torch.device, size: Size) -> dict[str, float]:
    """Bytes that a copy moves in a second (read and written), and bfloat16 FLOP of a product."""
    source = torch.zeros(size.copy_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    left = torch.randn(size.matrix, size.matrix, device=device, dtype=torch.bfloat16)
    works = {"copy": lambda: target.copy_(source), "matrix": lambda: left @ left}
    middle = {}
    for name, work in works.items():
        times_ms(work, 3, device)
        middle[name] = statistics.median(times_ms(work, size.rounds, device)) / 1e3
    return {
        "copy_bytes_per_s": 2 * size.copy_bytes / middle["copy"],
        "bf16_flop_per_s": 2 * size.matrix**3 / middle["matrix"],
    }


@dataclass(frozen=True, eq=False)
class Run:
    """A training that can be run epoch by epoch."""

    fabric: Fabric
    recipe: Recipe
    stepper: Stepper
    average: MovingAverage
    batches: TrainingBatches
    validation: Validation

    def step(self, batch: Any, count: int) -> None:
        """As in ``learning.loop``, without its account of the losses."""
        rate = learning_rate(self.recipe.optimiser, count, self.batches.steps, EPOCHS)
        set_learning_rate(self.stepper.optimiser, rate)
        self.stepper.step(batch.images, batch.target, batch.labelled)
        self.average.follow(count)

    def epoch(self, epoch: int) -> None:
        """All training steps and the validation, which waits for the device at its end."""
        for k, batch in enumerate(self.batches.epoch(epoch)):
            self.step(batch, epoch * self.batches.steps + k)
        with self.fabric.autocast():
            self.validation.evaluate(
                self.average.network, lambda network: network, lambda slices: None
            )


def train(
    name: str, side: int, options: argparse.Namespace, ceilings: dict[str, float]
) -> dict[str, Any]:
    """One training: seconds of 100 epochs, and of a step what the card reaches."""
    size = TINY if options.tiny else FULL
    batch = options.batch or size.batch
    changes = (f"network={name}", f"input.size={side}", f"batch_size={batch}")
    run, seconds_first = prepare(load_recipe("default", changes), options)
    epochs = EPOCHS if options.full else options.epochs
    begun = time.perf_counter()
    for epoch in range(1, 1 + epochs):
        run.epoch(epoch)
    each = (time.perf_counter() - begun) / epochs
    device, batches = run.validation.device, iter(run.batches.epoch(epochs + 1))
    rounds = min(size.rounds, run.batches.steps - 1)
    steps = times_ms(lambda: run.step(next(batches), 0), rounds, device)
    middle = statistics.median(steps) / 1e3
    flop, values = cost(name, side, batch)
    return {
        "network": name,
        "size": side,
        "batch": batch,
        "execution": asdict(run.stepper.execution),
        "notes": run.stepper.notes,
        "first_epoch_s": seconds_first,
        "epochs_measured": epochs,
        "100_epochs_s": EPOCHS * each,
        "slices_per_s": size.train / each,
        "step_ms": 1e3 * middle,
        "share_of_matrix_ceiling": flop / middle / ceilings["bf16_flop_per_s"],
        "share_of_copy_ceiling": values * BYTES_OF_VALUE / middle / ceilings["copy_bytes_per_s"],
    }


def prepare(recipe: Recipe, options: argparse.Namespace) -> tuple[Run, float]:
    """The training after its first epoch, which chooses kernels and records, and its seconds."""
    size = TINY if options.tiny else FULL
    fabric = start_fabric(Machines(options.device), recipe)
    how: Execution = choose_execution(options.execution or "auto", fabric)
    torch.manual_seed(0)
    network = build_model(recipe.network, in_channels=len(SEQUENCES), out_channels=1).train()
    stepper = set_up(fabric, network, recipe, how)
    worker = Worker(fabric.device, threads=int(fabric.device.type == "cuda"))
    parts = [
        synthetic_slices(count, recipe.input.size, SEQUENCES, fabric.device)
        for count in (size.train, size.validation)
    ]
    run = Run(
        fabric,
        recipe,
        stepper,
        MovingAverage(network, recipe.ema or 0.999),
        TrainingBatches(*parts[0], recipe, worker),
        Validation(*parts[1], recipe, worker),
    )
    begun = time.perf_counter()
    run.epoch(0)
    return run, time.perf_counter() - begun


def cost(name: str, side: int, batch: int) -> tuple[float, float]:
    """FLOP of a step (three times those of the forward pass), and values that convolutions give."""
    from torch.utils.flop_counter import FlopCounterMode

    values = 0

    def count(_layer: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal values
        values += output.numel()

    with torch.device("meta"):
        network = build_model(name, in_channels=len(SEQUENCES), out_channels=1).eval()
        image = torch.empty(1, len(SEQUENCES), side, side)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    return 3.0 * batch * counter.get_total_flops(), float(batch * values)


def infer(name: str, side: int, options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of a head of 155 slices."""
    size, device = TINY if options.tiny else FULL, torch.device(options.device)
    slices = 5 if options.tiny else 155
    network = build_model(name, in_channels=len(SEQUENCES), out_channels=1)
    engine = TorchEngine(network, options.device)
    inputs = torch.randn(slices, len(SEQUENCES), side, side)
    there, step = channels_last(inputs.to(device)), engine.batch
    rounds = max(2, size.rounds // 3)

    def whole() -> None:
        for first in range(0, slices, step):
            engine.logits(inputs[first : first + step].numpy())

    @torch.inference_mode()
    def bare() -> None:
        with torch.autocast(device.type, torch.bfloat16):
            for first in range(0, slices, step):
                network(there[first : first + step])

    result: dict[str, Any] = {"network": name, "size": side, "slices": slices, "batch": step}
    for key, work in (("engine_float32_s", whole), ("network_bfloat16_s", bare)):
        times_ms(work, 1, device)
        result[key] = statistics.median(times_ms(work, rounds, device)) / 1e3
    return result


def authors(name: str, side: int, options: argparse.Namespace) -> dict[str, Any]:
    """A step of the authors' network: seven cross-entropies, Adam, float32, as they wrote it."""
    size, device = TINY if options.tiny else FULL, torch.device(options.device)
    batch = options.batch or size.batch
    sys.path.insert(0, str(options.authors))
    nets = importlib.import_module("model")
    network = (nets.U2NET if name == "u2net" else nets.U2NETP)(3, 1).to(device).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=0.001)
    entropy = nn.BCELoss()
    images = torch.randn(batch, 3, side, side, device=device)
    target = (torch.rand(batch, 1, side, side, device=device) > 0.9).float()

    def step() -> None:
        optimiser.zero_grad()
        losses = [entropy(output, target) for output in network(images)]
        total = torch.stack(losses).sum()
        total.backward()
        optimiser.step()
        _ = [loss.item() for loss in losses]

    times_ms(step, 3 if device.type == "cuda" else 1, device)
    middle = statistics.median(times_ms(step, size.rounds, device)) / 1e3
    return {"network": name, "size": side, "batch": batch, "slices_per_s": batch / middle}


if __name__ == "__main__":
    main()
