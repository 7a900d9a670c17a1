"""How many slices a second a training takes on a processor, beside the authors' own loop.

    python benchmarks/training_speed.py --authors U-2-Net [--size 128] [--batch 8] [--rounds 3]

``--authors`` is a checkout of https://github.com/xuebinqin/U-2-Net. Its loop is run as it stands
in ``u2net_train.py``: its loader (PNG files of 256 x 256, rescaled and cropped), its network, seven
cross-entropies, Adam. Ours is the step of ``gliomask train`` with the recipe ``default``: slices
from memory, all of its augmentation, Dice and cross-entropy, AdamW, clipping, moving average.

Each round is a fresh process for each, in turn, since the two differ in what they ask of the C
library's allocator, which is the process's. Seconds are processor seconds, which other work on
the machine does not count into; set OMP_NUM_THREADS=1 for one thread. The loader's time is in it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

WARM_UP = 1


def main() -> None:
    """Prints a line for each and their ratio, or JSON."""
    options = _arguments()
    if options.one:
        seconds = {"ours": _ours, "authors": _authors}[options.one](options)
        print(json.dumps(seconds))
        return
    names = ["authors", "ours"] if options.authors else ["ours"]
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            found[name] += _process(name)
    rates = {name: options.batch / statistics.median(times) for name, times in found.items()}
    if options.json:
        print(json.dumps({"slices_per_cpu_s": rates, "step_cpu_s": found}))
        return
    for name, times in found.items():
        middle, least = statistics.median(times), min(times)
        print(f"{name:8} {rates[name]:6.2f} slices/s  step {middle:.3f} s (least {least:.3f})")
    if options.authors:
        print(f"ratio {rates['ours'] / rates['authors']:.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--authors", type=Path, help="checkout of the authors' repository")
    parser.add_argument("--network", default="u2netp", choices=["u2netp", "u2net", "u2net-tiny"])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4, help="of a round, after a first one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", choices=["ours", "authors"], help=argparse.SUPPRESS)
    return parser.parse_args()


def _process(name: str) -> list[float]:
    """The seconds of each step of one loop in a process of its own."""
    command = [sys.executable, *sys.argv, "--one", name]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: list[float] = json.loads(out.splitlines()[-1])
    return found


def _timed(step: Callable[[], None], count: int) -> list[float]:
    times = []
    for _ in range(WARM_UP + count):
        begun = time.process_time()
        step()
        times.append(time.process_time() - begun)
    return times[WARM_UP:]


def _ours(options: argparse.Namespace) -> list[float]:
    import torch
    from made_up import made_up_slices

    from gliomask.config import load_recipe
    from gliomask.learning.allocator import keep_freed_memory
    from gliomask.learning.batches import TrainingBatches, Worker
    from gliomask.learning.devices import Machines, start_fabric
    from gliomask.learning.ema import MovingAverage
    from gliomask.learning.execution import choose_execution, set_up
    from gliomask.nets.u2net import build_model

    keep_freed_memory()
    changes = (f"input.size={options.size}", f"batch_size={options.batch}")
    recipe = load_recipe("default", (*changes, f"network={options.network}"))
    fabric = start_fabric(Machines("cpu"), recipe)
    network = build_model(options.network, in_channels=3, out_channels=1).train()
    stepper = set_up(fabric, network, recipe, choose_execution("auto", fabric))
    average = MovingAverage(network, recipe.ema or 0.999)
    count = options.batch * (options.steps + WARM_UP)
    kept, catalogue = made_up_slices(count, options.size, ("t1", "t1ce", "flair"), fabric.device)
    worker = Worker(torch.device("cpu"))
    batches = TrainingBatches(kept, catalogue, recipe, worker).epoch(0)

    def step() -> None:
        batch = next(batches)
        stepper.step(batch.images, batch.target).tolist()
        average.follow(0)

    return _timed(step, options.steps)


def _authors(options: argparse.Namespace) -> list[float]:
    import torch

    sys.path.insert(0, str(options.authors))
    os.chdir(options.authors)
    _stand_in_torchvision()
    from data_loader import RandomCrop, RescaleT, SalObjDataset, ToTensorLab
    from model import U2NET, U2NETP

    steps = [RescaleT(options.size * 320 // 288), RandomCrop(options.size), ToTensorLab(flag=0)]

    def transform(sample: dict[str, object]) -> object:
        for one in steps:
            sample = one(sample)
        return sample

    with tempfile.TemporaryDirectory() as folder:
        images, masks = _pictures(Path(folder), options.batch * 2)
        dataset = SalObjDataset(img_name_list=images, lbl_name_list=masks, transform=transform)
        loader = torch.utils.data.DataLoader(dataset, batch_size=options.batch, shuffle=True)
        network = (U2NET if options.network == "u2net" else U2NETP)(3, 1)
        optimiser = torch.optim.Adam(network.parameters(), lr=0.001)
        entropy = torch.nn.BCELoss(reduction="mean")
        network.train()
        batches = iter(loader)

        def step() -> None:
            nonlocal batches
            data = next(batches, None)
            if data is None:
                batches = iter(loader)
                data = next(batches)
            inputs, labels = (data[key].type(torch.FloatTensor) for key in ("image", "label"))
            optimiser.zero_grad()
            losses = [entropy(found, labels) for found in network(inputs)]
            total = torch.stack(losses).sum()
            total.backward()
            optimiser.step()
            [loss.item() for loss in (*losses, total)]

        return _timed(step, options.steps)


def _pictures(folder: Path, count: int) -> tuple[list[str], list[str]]:
    """Noise with a bright square and its mask; their loader can't take a mask without any."""
    from PIL import Image

    rng = np.random.default_rng(0)
    images, masks = [], []
    for k in range(count):
        image = rng.integers(0, 120, (256, 256, 3), dtype=np.uint8)
        mask = np.zeros((256, 256), np.uint8)
        mask[60:200, 60:200], image[60:200, 60:200] = 255, 200
        for names, array, kind in ((images, image, "image"), (masks, mask, "mask")):
            path = folder / f"{kind}{k}.png"
            Image.fromarray(array).save(path)
            names.append(str(path))
    return images, masks


def _stand_in_torchvision() -> None:
    """Their files import names of it that they don't use."""
    try:
        import torchvision  # noqa: F401
    except ModuleNotFoundError:
        for name, parts in (("torchvision", ("transforms", "utils", "models")),):
            module = ModuleType(name)
            sys.modules[name] = module
            for part in parts:
                inner = ModuleType(f"{name}.{part}")
                setattr(module, part, inner)
                sys.modules[f"{name}.{part}"] = inner


if __name__ == "__main__":
    main()
