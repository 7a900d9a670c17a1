"""A model that a training learns from, as its first weights or as its teacher.

Whom it has seen comes with it: patients that it learned from can't be judged on any more.
"""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gliomask.errors import ConfigError
from gliomask.nets.cards import ModelCard
from gliomask.provenance.patients import Seen, read_seen
from gliomask.provenance.run_files import PROVENANCE

Role = Literal["start", "teacher"]
"""Also the key in the provenance of the training."""


@dataclass(frozen=True, eq=False)
class Earlier:
    """A model folder that may be learned from.

    Attributes:
        source: the folder; card: of it.
        seen: the patients that it names, None if it names none.
    """

    source: Path
    card: ModelCard
    seen: Seen | None

    @property
    def facts(self) -> dict[str, Any]:
        """Its licence and its patients, for provenance and card."""
        facts: dict[str, Any] = {"licence": self.card.licence}
        if self.seen is not None:
            facts["train_patients"] = sorted(self.seen.trained)
            facts["validation_patients"] = sorted(self.seen.chosen)
        return facts


def ask_earlier(source: Path, card: ModelCard, option: str, judged: Set[str]) -> Earlier:
    """Asks a model whom it has seen.

    Args:
        source: its folder; card: of it.
        option: of the command that names it, for the error.
        judged: validation and test patients of the training.

    Raises:
        ConfigError: it has learned from patients to be judged.
    """
    seen = read_seen(source)
    both = sorted(judged & seen.trained) if seen else []
    if both:
        raise ConfigError(
            f"the model has learned from {len(both)} of the patients that this training would be "
            f"judged on, {both[0]} first",
            path=source,
            field=option,
            found=source.name,
            hint="take a model of the same fold, or of other patients",
        )
    return Earlier(source, card, seen)


def check_same(source: Path, what: str, pairs: Sequence[tuple[str, object, object]]) -> None:
    """Refuses a model that differs from what the recipe needs.

    Args:
        source: its folder.
        what: to say of one that does.
        pairs: name of a key, the model's value and the one that is due.

    Raises:
        ConfigError: the first that differs.
    """
    for field, found, due in pairs:
        if found != due:
            raise ConfigError(what, path=source, field=field, found=found, allowed=str(due))


def read_facts(run: Path, role: Role) -> dict[str, Any]:
    """What a run's provenance says of such a model; empty if there was none, or the run is new."""
    try:
        found = json.loads((run / PROVENANCE).read_text(encoding="utf-8"))[role]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
