"""Alignment of all series of a study to the grid of one of them, with notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gliomask.alignment.coverage import FULL, LEAST, NEAR, head_share
from gliomask.alignment.registration import ImplausibleError, register_rigid
from gliomask.alignment.resampling import resample_to
from gliomask.core.geometry import same_place
from gliomask.core.reliability import Reason
from gliomask.core.volume import Affine, FloatArray, Volume, best_shown
from gliomask.errors import CaseError, same_with
from gliomask.formats.images import Image
from gliomask.jobs.control import SILENT, Control


@dataclass(frozen=True, eq=False)
class AlignedStudy:
    """A study on one grid.

    Attributes:
        volume: its sequences in the order that they came in, on the grid of the reference.
        notes: notes for users of the mask.
        provenance: the reference, and for each series the findings and changes:
            plain keys and numbers, fit for JSON. Empty if nothing had to be done.
        reasons: reasons of the reliability flag.
    """

    volume: Volume
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, object] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, eq=False)
class _Position:
    """Position of a series, derived from its image content.

    Attributes:
        affine: corrected affine; that of the header if nothing better was found.
        words: description, as part of a sentence.
        record: record of the registration.
        reason: reason to doubt it, for the reliability flag.
    """

    affine: Affine
    words: str = ""
    record: Mapping[str, object] = field(default_factory=dict)
    reason: Reason | None = None


@dataclass(frozen=True, eq=False)
class _Moved:
    """Alignment of one series to the reference's grid."""

    note: str = ""
    record: Mapping[str, object] = field(default_factory=dict)
    reason: Reason | None = None


def align_study(
    series: dict[str, Image],
    reference: str | None = None,
    *,
    scanned: bool = False,
    control: Control = SILENT,
) -> AlignedStudy:
    """Brings the series of a study onto the grid of one of them.

    A series on another grid is registered to the reference (rigid, by mutual information; kept at
    the position in its header unless registration increases that) and interpolated once. A series
    on the reference's grid is unchanged, to the bit: it was aligned earlier. Only series from the
    scanner (``scanned``) are also registered then, because scans of one prescription share their
    grid whether the patient moved between them or not.

    Args:
        series: sequence -> image, at least one, none constant. Images are removed from it when
            they are no longer needed.
        reference: sequence that defines the grid; default: the one that shows most, because oedema
            is drawn on FLAIR and visible on T2.
        scanned: the series come from the scanner: they are not on one grid yet.
        control: a stop ends a registration between two of its iterations.

    Raises:
        CaseError: no such reference; pictures, whose positions are unknown, on different grids; a
            series that shows less than ``LEAST`` of the reference's head.
    """
    name, names = _chosen(series, reference), tuple(series)
    target, moved = series[name], dict[str, _Moved]()
    array = np.empty((len(names), *target.array.shape), np.float32)
    for channel, other in zip(array, names, strict=True):
        image = series.pop(other)
        if other == name:
            channel[...], moved[other] = image.array, _Moved()
        else:
            channel[...], moved[other] = _move(other, image, name, target, scanned, control)
    volume = Volume(array, target.affine, names, target.has_world)
    records = {
        other: dict(moved_image.record)
        for other, moved_image in moved.items()
        if moved_image.record
    }
    return AlignedStudy(
        volume,
        tuple(moved_image.note for moved_image in moved.values() if moved_image.note),
        {"reference": name, "series": records} if records else {},
        tuple(moved_image.reason for moved_image in moved.values() if moved_image.reason),
    )


def on_one_grid(series: Mapping[str, Image]) -> bool:
    """Return True if all series have the grid of the first one."""
    first, *others = series.values()
    return all(_on_grid(other, first) for other in others)


def _on_grid(image: Image, target: Image) -> bool:
    shape = target.array.shape
    return image.array.shape == shape and same_place(image.affine, target.affine, shape)


def _chosen(series: Mapping[str, Image], reference: str | None) -> str:
    if reference is None:
        return best_shown(tuple(series))
    if reference not in series:
        what = "the reference is not among the series"
        raise CaseError(what, option="reference", found=reference, allowed=", ".join(series))
    return reference


def _move(
    name: str, image: Image, reference: str, target: Image, scanned: bool, control: Control
) -> tuple[FloatArray, _Moved]:
    """One series laid onto the reference."""
    fits, placed = _on_grid(image, target), image.has_world and target.has_world
    if fits and not (scanned and placed):
        return image.array, _Moved()
    if not placed:
        what = f"{name} can't be resampled to {reference}: pictures have no voxel size"
        raise CaseError(what, hint="give volumes, or pictures of one size")
    control.check()
    _checked_share(name, image, image.affine, reference, target, NEAR)
    position = _registered(name, image, reference, target, control)
    if fits and position.affine is image.affine:
        return image.array, _Moved("", position.record, position.reason)
    control.check()
    share = _checked_share(name, image, position.affine, reference, target)
    array = resample_to(image.array, position.affine, _shape(target), target.affine)
    note = f"{name} was {position.words}resampled to the grid of {reference}"
    if share < FULL:
        note += f"; it covers {share:.0%} of the head there, and is missing beyond that"
    record = {**position.record, "resampled": True, "share_of_head": round(share, 4)}
    return array, _Moved(note, record, position.reason)


def _registered(
    name: str, image: Image, reference: str, target: Image, control: Control
) -> _Position:
    """Position of a series by registration, or by its header if the registration is implausible."""
    try:
        registration = register_rigid(
            image.array, image.affine, target.array, target.affine, control
        )
    except ImplausibleError as problem:
        text = (
            f"{name} is aligned with {reference} by the headers: no plausible registration "
            f"was found ({problem.what}); check that they fit"
        )
        reason = Reason("amber", "not_registered", text)
        return _Position(image.affine, "", {"registration": problem.what}, reason)
    record = {
        "degrees": round(registration.degrees, 3),
        "mm": round(registration.mm, 3),
        "mutual_information": [round(registration.before, 4), round(registration.after, 4)],
        "transform": registration.transform.tolist(),
    }
    if np.array_equal(registration.transform, np.eye(4)):
        return _Position(image.affine, "", record)
    words = f"registered ({registration.degrees:.1f} degrees, {registration.mm:.1f} mm) and "
    return _Position(registration.transform @ image.affine, words, record)


def _checked_share(
    name: str,
    image: Image,
    affine: Affine,
    reference: str,
    target: Image,
    least: float = LEAST,
) -> float:
    share = head_share(_shape(image), affine, target.array, target.affine)
    if share < least:
        raise CaseError(
            f"{name} shows too little of the head in {reference}",
            field="share of the head",
            found=f"{share:.0%}",
            allowed=f"from {least:.0%}",
            hint=f"leave it out, or make it the reference: {same_with(('reference', name))}",
        )
    return share


def _shape(image: Image) -> tuple[int, int, int]:
    i, j, k = image.array.shape
    return i, j, k
