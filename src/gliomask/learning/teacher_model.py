"""Teacher of a distillation, trained on the same patients or on others."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gliomask.config import Recipe
from gliomask.config.shipped import find_model
from gliomask.core.slices import VERSION
from gliomask.learning.source_model import check_same, earlier_model
from gliomask.nets.licence_notice import announce_licence
from gliomask.nets.u2net import U2Net
from gliomask.nets.weights import load_model


@dataclass(frozen=True, eq=False)
class Taught:
    """A teacher and its history.

    Attributes:
        network: with its weights, in evaluation mode.
        facts: for the provenance and the card, as those of the first weights.
    """

    network: U2Net
    facts: dict[str, Any]


def load_teacher(
    source: Path, recipe: Recipe, sequences: tuple[str, ...], judged: Set[str]
) -> Taught:
    """Loads the teacher. Only its network may differ from that of the student.

    Args:
        source: a run folder, or the name of a model that comes with gliomask.
        recipe: of the training.
        sequences: that it uses, in their order.
        judged: the validation and test patients.

    Raises:
        ModelError: no such model, or damage.
        ConfigError: its inputs or outputs differ from those of the student, or it was trained on
            validation or test patients.
    """
    source = find_model(str(source))
    network, card = load_model(source)
    pairs = (
        ("input.mode", card.input_mode, recipe.input.mode),
        ("input.size", card.size, recipe.input.size),
        ("input.sequences", ", ".join(card.sequences), ", ".join(sequences)),
        ("regions", ", ".join(card.regions), ", ".join(recipe.regions)),
        ("preprocess.version", card.preprocess.get("version"), VERSION),
    )
    check_same(source, "the teacher does not match the recipe", pairs)
    earlier = earlier_model(source, card, "teacher", judged)
    announce_licence(source, card)
    sha256 = str(card.weights_sha256)
    words = f"distilled from {card.name} ({card.network}, sha256 {sha256[:12]})"
    # Absolute, for a resume in another directory must find it.
    where = str(source.absolute())
    facts = {"source": where, "sha256": sha256, "words": words, **earlier.facts}
    return Taught(network, facts)
