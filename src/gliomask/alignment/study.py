"""All series of a study on the grid of one of them, and what was done to each, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gliomask.alignment.coverage import FULL, LEAST, head_share
from gliomask.alignment.registration import ImplausibleError, register_rigid
from gliomask.alignment.resampling import resample_to
from gliomask.core.geometry import same_place
from gliomask.core.volume import Affine, FloatArray, Volume, best_shown
from gliomask.errors import CaseError
from gliomask.formats.images import Image

_LEAVE_OUT = "leave the series out, or take another reference"


@dataclass(frozen=True, eq=False)
class AlignedStudy:
    """A study on one grid.

    Attributes:
        volume: its sequences in the order that they came in, on the grid of the reference.
        notes: what a person who reads the mask should know.
        provenance: the reference, and for each series that was changed how: plain keys and
            numbers, fit for JSON.
    """

    volume: Volume
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Moved:
    """One series on the reference's grid."""

    array: FloatArray
    note: str = ""
    record: Mapping[str, object] = field(default_factory=dict)


def align_study(
    series: Mapping[str, Image], reference: str | None = None, *, register: bool = False
) -> AlignedStudy:
    """Brings the series of a study onto the grid of one of them.

    A series that lies on the reference's grid already is not touched, not by a bit, unless
    registration moves it. Any other is interpolated once, moved at the same time if it is to be
    registered.

    Args:
        series: sequence -> image, at least one, none constant.
        reference: whose grid it is to be; if none is named, the one that shows most, because
            oedema is drawn on FLAIR and seen on T2.
        register: whether each series is first laid onto the reference by what it shows.

    Raises:
        CaseError: no such reference; pictures, whose places are not known, on different grids or
            to be registered; a series that shows less than ``LEAST`` of the reference's head, or
            that no plausible movement lays onto it.
        MachineError: registration without SimpleITK.
    """
    name = _chosen(series, reference)
    target = series[name]
    moved = {
        other: _Moved(image.array) if other == name else _move(other, image, name, target, register)
        for other, image in series.items()
    }
    array = np.stack([one.array for one in moved.values()])
    volume = Volume(array, target.affine, tuple(series), target.has_world)
    records = {other: dict(one.record) for other, one in moved.items() if one.record}
    notes = tuple(one.note for one in moved.values() if one.note)
    return AlignedStudy(volume, notes, {"reference": name, "series": records})


def _chosen(series: Mapping[str, Image], reference: str | None) -> str:
    if reference is None:
        return best_shown(tuple(series))
    if reference not in series:
        what = "the reference is not among the series"
        raise CaseError(what, field="reference", found=reference, allowed=", ".join(series))
    return reference


def _move(name: str, image: Image, reference: str, target: Image, register: bool) -> _Moved:
    """One series laid onto the reference."""
    fits = image.array.shape == target.array.shape
    fits = fits and same_place(image.affine, target.affine, target.array.shape)
    if fits and not register:
        return _Moved(image.array)
    if not (image.has_world and target.has_world):
        what = f"{name} can't be laid onto {reference}: pictures tell no millimetres"
        raise CaseError(what, hint="give volumes, or pictures of one size")
    words, record, affine = _registered(name, image, reference, target) if register else _UNMOVED
    affine = image.affine if affine is None else affine
    if fits and affine is image.affine:
        return _Moved(image.array, record=record)
    share = _checked_share(name, image, affine, reference, target)
    array = resample_to(image.array, affine, _shape(target), target.affine)
    note = f"{name} was {words}resampled to the grid of {reference}"
    if share < FULL:
        note += f"; it shows {share:.0%} of the head there, beyond it the model saw nothing of it"
    return _Moved(array, note, {**record, "resampled": True, "share_of_head": round(share, 4)})


_UNMOVED: tuple[str, Mapping[str, object], Affine | None] = ("", {}, None)


def _registered(
    name: str, image: Image, reference: str, target: Image
) -> tuple[str, Mapping[str, object], Affine | None]:
    """Words and record of a registration, and the affine it gives; None if nothing moves."""
    try:
        found = register_rigid(image.array, image.affine, target.array, target.affine)
    except ImplausibleError as problem:
        what = f"{name} can't be registered to {reference}: {problem.what}"
        raise CaseError(what, hint=_LEAVE_OUT) from None
    record = {
        "degrees": round(found.degrees, 3),
        "mm": round(found.mm, 3),
        "mutual_information": [round(found.before, 4), round(found.after, 4)],
        "transform": found.transform.tolist(),
    }
    if np.array_equal(found.transform, np.eye(4)):
        return "", record, None
    words = f"registered ({found.degrees:.1f} degrees, {found.mm:.1f} mm) and "
    return words, record, found.transform @ image.affine


def _checked_share(name: str, image: Image, affine: Affine, reference: str, target: Image) -> float:
    share = head_share(_shape(image), affine, target.array, target.affine)
    if share < LEAST:
        raise CaseError(
            f"{name} shows too little of the head in {reference}",
            field="share of the head",
            found=f"{share:.0%}",
            allowed=f"from {LEAST:.0%}",
            hint=_LEAVE_OUT,
        )
    return share


def _shape(image: Image) -> tuple[int, int, int]:
    i, j, k = image.array.shape
    return i, j, k
