"""Weights between those of a model and of another that was trained from it.

    python -m benchmarks.accuracy.interpolate BEFORE AFTER OUT --share 0.8

``AFTER`` was initialised with the weights of ``BEFORE``, adapted to its sequences and regions.
``OUT`` gets ``(1 - share) * BEFORE + share * AFTER``, with the card of ``AFTER``: such weights
retain more of the first training than those of the second alone (Wortsman et al., "Robust
fine-tuning of zero-shot models", CVPR 2022). In the output layers only the first region is
interpolated; the others, which ``BEFORE`` lacks, are those of ``AFTER``.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from torch import Tensor

from gliomask.errors import ConfigError
from gliomask.nets.adapt import ChannelMap, fit_weights, is_output
from gliomask.nets.weights import load_model, save_model
from gliomask.provenance.run_files import PROVENANCE


def between(before: dict[str, Tensor], after: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """State dict between two of one architecture.

    Args:
        before, after: state dicts of equal names and shapes.
        share: of ``after``, 0 to 1; counters of batches are those of ``after``.
    """
    mixed = {}
    for name, value in after.items():
        if not value.is_floating_point():
            mixed[name] = value
            continue
        mixed[name] = (1 - share) * before[name] + share * value
        if is_output(name):
            mixed[name][1:] = value[1:]
    return mixed


def interpolate(before: Path, after: Path, out: Path, share: float) -> None:
    """Writes the model between two.

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
    network.load_state_dict(between(adapted, state, share))
    save_model(out, network, card)
    if (after / PROVENANCE).is_file():
        shutil.copyfile(after / PROVENANCE, out / PROVENANCE)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("before", "after", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--share", type=float, required=True, help="of AFTER, 0 to 1")
    options = parser.parse_args()
    interpolate(options.before, options.after, options.out, options.share)


if __name__ == "__main__":
    main()
