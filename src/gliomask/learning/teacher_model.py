"""Loading of the teacher model of a distillation."""

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
class LoadedTeacher:
    """A teacher and its origin.

    Attributes:
        network: network with its weights, in evaluation mode.
        origin: for the provenance and the card, as for initial weights.
    """

    network: U2Net
    origin: dict[str, Any]


def load_teacher(
    source: Path, recipe: Recipe, sequences: tuple[str, ...], held_out: Set[str]
) -> LoadedTeacher:
    """Load the teacher. Only its network may differ from that of the student.

    Args:
        source: a run folder, or the name of an included or added model.
        recipe: recipe of the training.
        sequences: its sequences in order.
        held_out: its validation and test patients.

    Raises:
        ModelError: the model does not exist, or is damaged.
        ConfigError: its inputs or outputs differ from those of the student, or it was trained on
            validation or test patients.
    """
    source = find_model(str(source), "teacher")
    network, card = load_model(source)
    pairs = (
        ("input.mode", card.input_mode, recipe.input.mode),
        ("input.size", card.size, recipe.input.size),
        ("input.sequences", ", ".join(card.sequences), ", ".join(sequences)),
        ("regions", ", ".join(card.regions), ", ".join(recipe.regions)),
        ("preprocess.version", card.preprocess.get("version"), VERSION),
    )
    check_same(source, "the teacher does not match the recipe", pairs)
    earlier = earlier_model(source, card, "teacher", held_out)
    announce_licence(source, card)
    sha256 = str(card.weights_sha256)
    description = f"distilled from {card.name} ({card.network}, sha256 {sha256[:12]})"
    # Absolute, for a resume in another working directory.
    where = str(source.absolute())
    origin = {"source": where, "sha256": sha256, "description": description, **earlier.origin}
    return LoadedTeacher(network, origin)
