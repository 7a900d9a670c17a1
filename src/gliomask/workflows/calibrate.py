"""``calibrate``: what a model's card must hold to judge new cases by, from the patients it was
chosen on.

A network's probabilities are too sure of themselves. Dividing their logits by one number, the
temperature, mends that on the whole; the threshold moves along, so that no mask changes. On the
same pass it is measured how far volumes lie from the truth, how much the network's maps usually
disagree and what missing sequences cost. Training patients would give wrong numbers, test patients
may not be looked at; of the training patients only their scans are described.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from pydantic import JsonValue

from gliomask.config import Options
from gliomask.core.progress import SILENT, Progress
from gliomask.errors import ModelError, StoreError
from gliomask.evaluation.logit_counts import pool
from gliomask.evaluation.temperature import Temperature, adjusted_threshold, fit_temperature
from gliomask.inference.engines.choice import open_engine
from gliomask.inference.engines.engine import Device
from gliomask.inference.predictor import Predictor
from gliomask.nets.cards import CARD_FILE, ModelCard, write_card
from gliomask.store.store import open_store
from gliomask.workflows.measuring import MeasuredCase, measure, subsets_of
from gliomask.workflows.model_option import OwnModel
from gliomask.workflows.seen import read_seen
from gliomask.workflows.subjects import Subject, find_subjects
from gliomask.workflows.training_data import sample, training_data
from gliomask.workflows.validation_facts import validation_facts
from gliomask.workflows.voxels import COUNTED


class CalibrateOptions(Options):
    """What ``calibrate`` is asked to do."""

    model: OwnModel
    """A run folder; its card is changed."""
    store: Path
    """The store that it was trained on."""
    device: Device = "auto"
    """What computes."""


@dataclass(frozen=True)
class CalibrateResult:
    """What ``calibrate`` has found.

    Attributes:
        model: the run folder.
        patients: that the temperature was fitted on.
        temperature: and how far it helps.
        threshold: of the card now, on calibrated probabilities.
    """

    model: Path
    patients: int
    temperature: Temperature
    threshold: float


def calibrate(options: CalibrateOptions, progress: Progress = SILENT) -> CalibrateResult:
    """Measures a model on its validation patients and writes what it finds into its card.

    Raises:
        ModelError: no model, or one that does not name the patients it was chosen on.
        StoreError: the store lacks one of them, or one can't be read.
        MachineError: the device is not there.
    """
    seen = read_seen(options.model)
    if seen is None or not seen.chosen:
        what = "the model does not name the patients it was chosen on"
        raise ModelError(what, path=options.model)
    everyone = find_subjects(options.store, "all", None).subjects
    missing = seen.chosen - {subject.patient for subject in everyone}
    if missing:
        raise StoreError(f"the store lacks patient {min(missing)!r}", path=options.store)
    chosen = [subject for subject in everyone if subject.patient in seen.chosen]
    opened = open_engine(options.model, device=options.device)
    card = opened.card
    predictor = Predictor(opened.engine, _uncalibrated(card))
    store = open_store(options.store)
    looks = len(chosen) * (1 + len(subsets_of(card))) + len(sample(store, seen.trained))
    progress.start(looks, "calibrating")
    cases = _measured(predictor, chosen, progress)
    found = fit_temperature(pool(one for case in cases for one in case.counts.values()))
    written = _calibrated(predictor.card, found, len(seen.chosen)).model_copy(
        update={
            "validation": validation_facts(cases, card, found.value),
            "training_data": training_data(store, seen.trained, progress.advance),
        }
    )
    write_card(options.model / CARD_FILE, written)
    return CalibrateResult(options.model, len(seen.chosen), found, written.threshold)


def _uncalibrated(card: ModelCard) -> ModelCard:
    """The card as training left it."""
    threshold = adjusted_threshold(card.threshold, 1 / card.temperature)
    return card.model_copy(update={"temperature": 1.0, "threshold": threshold})


def _calibrated(card: ModelCard, found: Temperature, patients: int) -> ModelCard:
    told: dict[str, JsonValue] = {
        "part": "validation",
        "voxels": COUNTED,
        "patients": patients,
        **asdict(found),
    }
    return card.model_copy(
        update={
            "temperature": found.value,
            "threshold": adjusted_threshold(card.threshold, found.value),
            "metrics": {**card.metrics, "calibration": told},
        }
    )


def _measured(
    predictor: Predictor, subjects: Sequence[Subject], progress: Progress
) -> list[MeasuredCase]:
    """All regions have one temperature, so their voxels are counted together later."""
    return [
        measure(
            predictor,
            subject.patient,
            subject.load(),
            partial(progress.advance, note=subject.case),
        )
        for subject in subjects
    ]
