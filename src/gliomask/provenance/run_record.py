"""Reader of the records in a run folder: provenance, card, recipe and history."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml

from gliomask.errors import ModelError
from gliomask.nets.cards import CARD_FILE, ModelCard, read_card
from gliomask.provenance.patients import ModelPatients
from gliomask.provenance.run_files import HISTORY, PROVENANCE, RECIPE

Role = Literal["start", "teacher"]
"""Role of another model in a training; also its key in the provenance."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class RunRecord:
    """The records of a run folder; what is missing, or can't be read, is empty or None.

    Attributes:
        run: the folder.
    """

    run: Path

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """``provenance.json``."""
        return _json(self.run / PROVENANCE)

    @cached_property
    def card(self) -> ModelCard | None:
        """``card.json``."""
        try:
            return read_card(self.run / CARD_FILE)
        except ModelError:
            return None

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        """``config.yaml``."""
        try:
            keys = yaml.safe_load((self.run / RECIPE).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError, yaml.YAMLError):
            return NOTHING
        return keys if isinstance(keys, dict) else NOTHING

    @cached_property
    def history(self) -> tuple[Mapping[str, str], ...]:
        """The rows of ``history.csv``: column -> cell."""
        try:
            text = (self.run / HISTORY).read_text(encoding="utf-8")
            return tuple(csv.DictReader(text.splitlines()))
        except (OSError, ValueError, csv.Error):
            return ()

    @property
    def sessions(self) -> tuple[Mapping[str, Any], ...]:
        """Sessions of the training, the first one first."""
        entries = self.provenance.get("sessions")
        return tuple(entries) if isinstance(entries, list) else ()

    def other_model(self, role: Role) -> Mapping[str, Any]:
        """Origin of the initial weights or of the teacher, as recorded."""
        origin = self.provenance.get(role)
        if not isinstance(origin, dict):
            return NOTHING
        if "words" in origin:  # a run of an earlier version
            return {"description": origin["words"], **origin}
        return origin

    @cached_property
    def patients(self) -> ModelPatients | None:
        """Patients in the provenance, or else in the card; None if unknown."""
        return self._patients_of_provenance() or self._patients_of_card()

    def _patients_of_card(self) -> ModelPatients | None:
        """Patients in the card, for a model without provenance; a card has no fold."""
        if self.card is None:
            return None
        training, validation = (
            frozenset(self.card.patients),
            frozenset(self.card.validation_patients),
        )
        patients = ModelPatients(training, validation, None)
        return patients if patients.all else None

    def _patients_of_provenance(self) -> ModelPatients | None:
        """Patients in the provenance, including those of the initial weights and of the teacher."""
        parts = (self.provenance, self.other_model("start"), self.other_model("teacher"))
        if not {"train_patients", "validation_patients"} <= self.provenance.keys():
            return None
        try:
            training, validation = (
                frozenset[str]().union(*(part.get(f"{name}_patients", ()) for part in parts))
                for name in ("train", "validation")
            )
        except TypeError:
            return None
        data = self.provenance.get("data")
        fold = data.get("fold") if isinstance(data, dict) else None
        return ModelPatients(training, validation, fold if isinstance(fold, int) else None)


def _json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return NOTHING
    return content if isinstance(content, dict) else NOTHING
