"""Number of trainable parameters of a model."""

from __future__ import annotations

from pathlib import Path

from gliomask.config.shipped import find_model
from gliomask.errors import ModelError
from gliomask.nets import entries
from gliomask.nets.cards import CARD_FILE, read_card
from gliomask.nets.specs import find_spec


def count_parameters(model: str | Path) -> int | None:
    """Trainable parameters of a model; None if its card can't be read.

    Args:
        model: a run folder, or the name of a model in the package.
    """
    try:
        card = read_card(find_model(model) / CARD_FILE)
    except ModelError:
        return None
    return entries.count_entries(find_spec(card.network), card.in_channels, len(card.regions))
