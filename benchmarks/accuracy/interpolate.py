r"""Weights between those of a model and of another that was trained from it.

    python -m benchmarks.accuracy.interpolate BEFORE AFTER OUT --share 0.8
    python -m benchmarks.accuracy.interpolate BEFORE AFTER OUT --share 0.5 \
        --statistics STORE --fold 0

``AFTER`` was initialised with the weights of ``BEFORE``, adapted to its sequences and regions.
``OUT`` gets ``(1 - share) * BEFORE + share * AFTER``, with the card of ``AFTER``: such weights
retain more of the first training than those of the second alone (Wortsman et al., "Robust
fine-tuning of zero-shot models", CVPR 2022). In the output layers only the regions of ``BEFORE``
are interpolated; the others are those of ``AFTER``.

With ``--statistics``, the means and variances of batch normalisation are measured anew on training
slices, augmented by the recipe of ``AFTER``. The activations of averaged weights are smaller than
those of either model, for which the averaged statistics are too large, and much of the tumour is
missed (Izmailov et al., "Averaging weights leads to wider optima and better generalization", UAI
2018).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from torch import Tensor
from torch.optim.swa_utils import update_bn

from gliomask.config import load_recipe
from gliomask.errors import ConfigError
from gliomask.jobs.control import SILENT
from gliomask.learning.batches import TrainingBatches, Worker
from gliomask.learning.data import choose_data, open_slices
from gliomask.nets.adapt import ChannelMap, fit_weights, is_output
from gliomask.nets.cards import CARD_FILE, read_card
from gliomask.nets.u2net import U2Net
from gliomask.nets.weights import load_model, save_model
from gliomask.provenance.run_files import PROVENANCE, RECIPE
from gliomask.store.store import open_store

_BATCH = 16


def between(
    before: dict[str, Tensor], after: dict[str, Tensor], share: float, regions: int
) -> dict[str, Tensor]:
    """State dict between two of one architecture.

    Args:
        before, after: state dicts of equal names and shapes.
        share: of ``after``, 0 to 1; counters of batches are those of ``after``.
        regions: number of regions that ``before`` was trained for, the first ones of ``after``.
    """
    mixed = {}
    for name, value in after.items():
        if not value.is_floating_point():
            mixed[name] = value
            continue
        mixed[name] = (1 - share) * before[name] + share * value
        if is_output(name):
            mixed[name][regions:] = value[regions:]
    return mixed


def interpolate(before: Path, after: Path, share: float) -> U2Net:
    """The network between two.

    Raises:
        ModelError: one of them can't be read.
        ConfigError: ``share`` is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ConfigError("no share", field="share", found=share, allowed="0 to 1")
    first, first_card = load_model(before)
    network, card = load_model(after)
    state = network.state_dict()
    adapted, _ = fit_weights(
        first.state_dict(), state, ChannelMap(first_card.sequences, card.sequences)
    )
    network.load_state_dict(between(adapted, state, share, len(first_card.regions)))
    return network


def measure_statistics(
    network: U2Net, store: Path, recipe_path: Path, fold: int | None, count: int = 1600
) -> None:
    """Measure the statistics of batch normalisation of a network on training slices.

    Args:
        network: network for the sequences of the store; changed in place.
        store: the store.
        recipe_path: recipe of the training.
        fold: fold whose test and validation patients are left out; None for all patients.
        count: number of slices.

    Raises:
        StoreError: the store can't be read, or the fold does not exist.
        ConfigError: the recipe can't be read.
    """
    changes = (f"sampling.slices={count}", f"batch_size={_BATCH}")
    recipe = load_recipe(str(recipe_path), changes)
    choice = choose_data(open_store(store), recipe, fold, all_patients=fold is None)
    device = torch.device("cpu")
    slices, _ = open_slices(choice, recipe, device, 1, SILENT)
    batches = TrainingBatches(slices, choice.training, recipe, Worker(device, threads=1))
    update_bn((batch.images for batch in batches.epoch(0)), network)
    network.eval()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("before", "after", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--share", type=float, required=True, help="of AFTER, 0 to 1")
    parser.add_argument("--statistics", type=Path, metavar="STORE")
    parser.add_argument("--fold", type=int, help="with --statistics; otherwise all patients")
    options = parser.parse_args()
    if options.fold is not None and options.statistics is None:
        parser.error("--fold is used only with --statistics")
    network = interpolate(options.before, options.after, options.share)
    if options.statistics is not None:
        measure_statistics(network, options.statistics, options.after / RECIPE, options.fold)
    save_model(options.out, network, read_card(options.after / CARD_FILE))
    if (options.after / PROVENANCE).is_file():
        shutil.copyfile(options.after / PROVENANCE, options.out / PROVENANCE)


if __name__ == "__main__":
    main()
