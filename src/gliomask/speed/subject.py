"""Measured network: one with random weights, or a trained model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gliomask.inference.trial import Trial, make_trial, trial_card, write_trial
from gliomask.nets.arithmetic import count_macs
from gliomask.nets.cards import CARD_FILE, ModelCard, read_card
from gliomask.nets.specs import find_spec

_DRAWN_AT: Final = 64
_TRAINED_AT: Final = 128
"""Pixels a side, at most, of the slice that answers are compared on. The right answer is worked
out in double precision, which takes long."""


@dataclass(frozen=True)
class BenchNetwork:
    """A network to be measured.

    Attributes:
        name: display name.
        card: card of the model.
        sizes: pixels a side that it is measured at, the smallest first.
        run: the folder of its weights; None if they are drawn.
    """

    name: str
    card: ModelCard
    sizes: tuple[int, ...]
    run: Path | None = None

    def macs(self, size: int) -> int:
        """Multiply-adds for one slice."""
        card = self.card
        return count_macs(find_spec(card.network), card.in_channels, len(card.regions), size)

    def flop(self, size: int) -> float:
        """Operations for one slice, two for each multiply-add."""
        return 2.0 * self.macs(size)

    @property
    def tried_at(self) -> int:
        """Pixels a side of the slice that answers are compared on."""
        return min(_DRAWN_AT if self.run is None else _TRAINED_AT, self.sizes[0])

    def prepare(self, folder: Path) -> Trial:
        """The model with the right answer.

        Args:
            folder: to write drawn weights to.

        Raises:
            ModelError: the run's weights are damaged.
        """
        if self.run is None:
            write_trial(folder, self.card)
        return make_trial(self.run or folder, 1, self.tried_at)


def drawn(network: str, sizes: tuple[int, ...]) -> BenchNetwork:
    """A network of three sequences with weights drawn from a fixed seed."""
    return BenchNetwork(network, trial_card(network, sizes[0]), sizes)


def trained(run: Path) -> BenchNetwork:
    """A run folder, at the size in its card.

    Raises:
        ModelError: there is no model in it, or its card is damaged.
    """
    card = read_card(run / CARD_FILE)
    return BenchNetwork(card.name, card, (card.size,), run)
