"""Cases for an evaluation: from a store, or from a data set in any known layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.config.choices import Part as Part
from gliomask.core.case import Case
from gliomask.core.geometry import to_reading
from gliomask.core.labels import LabelArray
from gliomask.core.regions import region_masks
from gliomask.core.slices import SliceStack, to_slices
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case
from gliomask.datasets.mask_labels.option import AUTO
from gliomask.errors import CaseError, ConfigError, StoreError, option
from gliomask.formats.file_key import file_key
from gliomask.jobs.control import Control
from gliomask.store.manifest import MANIFEST
from gliomask.store.store import Store, open_store


@dataclass(frozen=True, eq=False)
class Examination:
    """Loaded slices and reference of a subject.

    Attributes:
        stack: its slices.
        reference: (S, H, W) labels of the whole slices on the original grid.
        annotated: (S,) bool, annotated slices; None means all.
        regions: regions that are labelled in the reference.
    """

    stack: SliceStack
    reference: LabelArray
    annotated: npt.NDArray[np.bool_] | None
    regions: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Subject:
    """A case for evaluation, not loaded yet.

    Attributes:
        case, patient: its ids.
        regions: regions in its reference.
        synthetic: whether it is a phantom.
        licence: licence of its data, if known.
        traits: its other properties.
        key: changes with the evaluated data.
        load: function that reads it and reports progress; raises an ``InputError`` with the reason
            if it is unusable.
    """

    case: str
    patient: str
    regions: tuple[str, ...]
    synthetic: bool
    licence: str | None
    traits: Mapping[str, str | float | None]
    key: str
    load: Callable[[Control], Examination]


@dataclass(frozen=True, eq=False)
class Subjects:
    """Subjects of a source.

    Attributes:
        subjects: usable subjects.
        problems: (case, reason) of the others.
        what: description of the source.
    """

    subjects: tuple[Subject, ...]
    problems: tuple[tuple[str, str], ...]
    what: str


_CORRECTED = "its mask is a corrected mask of a model: for training only"


def find_subjects(
    source: Path, part: Part | None, fold: int | None, labels: str = AUTO
) -> Subjects:
    """Find the subjects of a source.

    Args:
        source: a store, or the root of a data set.
        part: part of a store's split; default: test.
        fold: fold of a store's split, instead of its hold-out split.
        labels: meaning of the numbers in the masks of a data set, see ``mask_labels.option``.

    Raises:
        StoreError: the part contains no case, or the fold does not exist.
        ConfigError: a part or fold is given for a data set.
        LayoutError: the source is neither a store nor in a known layout.
    """
    if (source / MANIFEST).is_file():
        if labels != AUTO:
            what = "the label scheme of a store was fixed by prepare"
            hint = f"leave out {option('labels')}"
            raise ConfigError(what, path=source, option="labels", found=labels, hint=hint)
        return _of_store(open_store(source), part or "test", fold)
    if part is not None or fold is not None:
        name, value = ("part", part) if part is not None else ("fold", fold)
        raise ConfigError(
            "only a store has parts, a data set has none",
            path=source,
            option=name,
            found=value,
            hint=f"leave out {option(name)}, or make a store with `gliomask prepare`",
        )
    cases = find_cases(source, labels)
    left_out = [(case.id, _CORRECTED) for case in cases.cases if case.training_only]
    return Subjects(
        tuple(_of_case(case) for case in cases.cases if not case.training_only),
        (*((problem.case, problem.reason) for problem in cases.problems), *left_out),
        f"{source.name} ({cases.layout})",
    )


def _of_store(store: Store, part: Part, fold: int | None) -> Subjects:
    parts = dict(store.parts(fold).named())
    ids = [case.id for case in store.cases] if part == "all" else list(parts[part])
    where = part if fold is None else f"{part} of fold {fold}"
    if not ids:
        filled = [name for name, patients in parts.items() if patients]
        raise StoreError(
            "the part contains no case",
            path=store.path,
            option="part",
            found=where,
            allowed=", ".join([*filled, "all"]),
        )
    subjects = tuple(_stored(store, case_id) for case_id in ids)
    return Subjects(subjects, (), f"{store.manifest.name} (store), {where}")


def _stored(store: Store, case_id: str) -> Subject:
    case = store.case(case_id)

    def load(control: Control) -> Examination:
        known = None if all(case.annotated) else np.array(case.annotated)
        control.start(2, "array")
        stack = store.stack(case_id)
        control.advance()
        return Examination(stack, store.reference(case_id), known, case.regions)

    traits: dict[str, str | float | None] = {"site": case.site} if case.site else {}
    if case.has_world:
        traits["slice thickness"] = case.slice_mm
    traits["sequences"] = " + ".join(case.sequences)
    return Subject(
        case=case_id,
        patient=case.patient,
        regions=case.regions,
        synthetic=case.synthetic,
        licence=case.licence,
        traits=traits,
        key=case.fingerprint,
        load=load,
    )


def _of_case(case: Case) -> Subject:
    traits: dict[str, str | float | None] = {"site": case.site} if case.site else {}
    traits["sequences"] = " + ".join(case.images)
    files = [*case.images.values(), *([case.label] if case.label else [])]
    return Subject(
        case=case.id,
        patient=case.patient,
        regions=case.regions,
        synthetic=case.synthetic,
        licence=case.licence,
        traits=traits,
        key=f"{case.scheme}{file_key(path for file in files for path in file.paths)}",
        load=partial(_load, case),
    )


def _load(case: Case, control: Control) -> Examination:
    volume, labels = load_case(case, control)
    if labels is None:
        raise CaseError("the case has no reference mask")
    try:
        stack = to_slices(volume, control.check)
    except ValueError as problem:
        raise CaseError(str(problem)) from None
    reference = np.ascontiguousarray(to_reading(labels, stack.record.turn))
    known = annotated_slices(reference) if case.sparse else None
    return Examination(stack, reference, known, case.regions)


def annotated_slices(labels: LabelArray) -> npt.NDArray[np.bool_]:
    """Annotated slices (S,) bool of a sparse case with labels (S, H, W): those with tumour."""
    known: npt.NDArray[np.bool_] = region_masks(labels, ("whole",))[0].any(axis=(1, 2))
    return known
