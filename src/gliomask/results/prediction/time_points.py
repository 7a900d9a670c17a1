"""One time point: a mask of an examination, and what its prediction says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from gliomask.core.case import ImageFile
from gliomask.core.labels import REGIONS, LabelArray, region_masks
from gliomask.core.volume import Affine
from gliomask.datasets.case_names import case_id
from gliomask.datasets.folders import stem
from gliomask.datasets.mask_labels.answer import AUTO, scheme_of_answer
from gliomask.datasets.mask_labels.of_cases import names_of
from gliomask.datasets.mask_labels.own_masks import MASK, figures_of, scheme_written
from gliomask.datasets.mask_labels.resolve import BOTH, NumberedMask, Reading, Side, common, resolve
from gliomask.errors import FormatError, InputError
from gliomask.formats.images import read_labels
from gliomask.formats.volumes import is_second_half, is_volume
from gliomask.jobs.control import SILENT, Control

_INTERVALS = "volumes_ml_90"


@dataclass(frozen=True, eq=False)
class TimePoint:
    """A mask in our labels.

    Attributes:
        name: of the examination.
        path: of the mask's file.
        mask: (I, J, K) uint8, see ``core.labels``.
        affine: (4, 4), voxel index to RAS+ mm.
        regions: that the mask tells.
        explanation: how its numbers were read.
        patient: if its prediction names one.
        day: when it was made, if that is known.
        stated: region -> 90 % interval of its volume in ml, where the prediction states one.
        probabilities: region -> file of its probabilities, where the prediction has one.
        threshold: of these, where it is known.
    """

    name: str
    path: Path
    mask: LabelArray
    affine: Affine
    regions: tuple[str, ...]
    explanation: str
    patient: str | None = None
    day: date | None = None
    stated: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    probabilities: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    threshold: float | None = None


@dataclass(frozen=True, eq=False)
class _Read:
    """A mask as it is in its file, with its prediction's figures (JSON) if it has any."""

    path: Path
    numbers: npt.NDArray[np.integer]
    affine: Affine
    keys: Mapping[str, Any] | None


def read_time_points(
    paths: Sequence[Path], labels: str = AUTO, control: Control = SILENT
) -> tuple[TimePoint, ...]:
    """The time points in the order given, with names that tell them apart.

    Args:
        paths: a folder that ``predict`` wrote for one case, or the mask of one (NIfTI).
        labels: what the numbers mean in masks that no figures explain, see ``mask_labels.answer``.
        control: reports each.

    Raises:
        InputError: no such file, a folder with no or several masks, one file twice.
        FormatError: a damaged mask, figures that are not those of their mask.
        QuestionError: the numbers in a mask can be read in several ways.
    """
    files = [_mask_file(path) for path in paths]
    for number, file in enumerate(files):
        if file.resolve() in {other.resolve() for other in files[:number]}:
            raise InputError("a time point is named twice", path=file)
    control.start(len(files), "reading masks")
    read = []
    for file in files:
        read.append(_read(file))
        control.advance(note=file.name)
    readings = _readings(read, labels)
    points = [
        _explained(one) if one.keys is not None else _told(one, readings[one.path]) for one in read
    ]
    return _named(points)


def _mask_file(path: Path) -> Path:
    if path.is_file() and is_volume(path):
        return path
    if not path.is_dir():
        what = "not a mask volume" if path.exists() else "no such file or folder"
        raise InputError(what, path=path)
    named = [one for one in path.glob(f"*{MASK}.*") if is_volume(one)]
    found = sorted(one for one in named if not is_second_half(one))
    if len(found) != 1:
        names = ", ".join(one.name for one in found[:3]) or "none"
        raise InputError(
            "a time point is one mask in millimetres",
            path=path,
            field=f"*{MASK}",
            found=names,
            hint="name the mask itself" if found else "predict writes one for volumes",
        )
    return found[0]


def _read(file: Path) -> _Read:
    numbers, affine = read_labels(ImageFile((file,)))
    return _Read(file, numbers, affine, figures_of(file))


def _readings(read: Sequence[_Read], labels: str) -> dict[Path, Reading]:
    """Of the masks that no figures explain, all together; those explained are evidence."""
    written = {scheme_written(one.path) for one in read if one.keys is not None} - {None}
    known = common(Reading(scheme, "") for scheme in written if scheme is not None)
    unexplained = [one for one in read if one.keys is None]
    masks = tuple(
        NumberedMask(
            names_of(ImageFile((one.path,)), one.path.name),
            frozenset(np.unique(one.numbers).tolist()) - {0},
        )
        for one in unexplained
    )
    side = Side("masks", BOTH, masks, scheme_of_answer(labels))
    found = resolve(side, known) if masks else ()
    return {one.path: reading for one, reading in zip(unexplained, found, strict=True)}


def _told(one: _Read, reading: Reading) -> TimePoint:
    scheme = reading.scheme
    try:
        mask = scheme.translate(one.numbers)
    except ValueError as problem:
        hint = f"{BOTH} can say what it is"
        raise FormatError(str(problem), path=one.path, hint=hint) from None
    return TimePoint(
        name=case_id(one.path.name),
        path=one.path,
        mask=mask,
        affine=one.affine,
        regions=scheme.regions,
        explanation=f"labels: {scheme.name}, {reading.reason}",
    )


def _explained(one: _Read) -> TimePoint:
    keys = one.keys or {}
    regions = tuple(region for region in REGIONS if region in keys["voxels"])
    name = stem(one.path.name).removesuffix(MASK)
    files = {r: one.path.with_name(f"{name}_probability_{r}.nii.gz") for r in regions}
    return TimePoint(
        name=name,
        path=one.path,
        mask=_checked(one, regions, keys["voxels"]),
        affine=one.affine,
        regions=regions,
        explanation="labels: as predict wrote them",
        patient=keys.get("patient"),
        day=_day(keys.get("date"), one.path),
        stated=_intervals(keys.get(_INTERVALS), one.path),
        probabilities={region: file for region, file in files.items() if file.is_file()},
        threshold=_threshold(keys.get("provenance")),
    )


def _checked(one: _Read, regions: tuple[str, ...], voxels: Mapping[str, Any]) -> LabelArray:
    """The mask, if it is the one that its prediction's figures are of."""
    if not regions or one.numbers.min() < 0 or one.numbers.max() > 3:
        what = "not a mask that predict wrote, as the JSON beside it says"
        raise FormatError(what, path=one.path)
    mask = one.numbers.astype(np.uint8)
    for region, drawn in zip(regions, region_masks(mask, regions), strict=True):
        count = int(drawn.sum())
        if count != voxels[region]:
            what = f"the JSON beside it is of another mask: {voxels[region]} voxels"
            raise FormatError(what, path=one.path, field=region, found=count)
    return mask


def _day(value: object, path: Path) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        allowed = "YYYY-MM-DD"
        raise FormatError(
            "no date", path=path, field="date", found=value, allowed=allowed
        ) from None


def _intervals(value: object, path: Path) -> dict[str, tuple[float, float]]:
    found = {}
    for region, ends in value.items() if isinstance(value, dict) else ():
        if ends is None:
            continue
        numbers = isinstance(ends, list) and all(isinstance(end, int | float) for end in ends)
        if not numbers or len(ends) != 2 or not 0 <= ends[0] <= ends[1] < float("inf"):
            raise FormatError("no interval", path=path, field=_INTERVALS, found=ends)
        found[str(region)] = (float(ends[0]), float(ends[1]))
    return found


def _threshold(provenance: object) -> float | None:
    value = provenance.get("threshold") if isinstance(provenance, dict) else None
    return float(value) if isinstance(value, int | float) and 0 < value < 1 else None


def _named(points: Sequence[TimePoint]) -> tuple[TimePoint, ...]:
    """With the folder, and then a number, before names that are the same."""
    names = [point.name for point in points]
    if len(set(names)) < len(names):
        names = [f"{point.path.absolute().parent.name}/{point.name}" for point in points]
    if len(set(names)) < len(names):
        names = [f"{number}: {name}" for number, name in enumerate(names, 1)]
    return tuple(replace(point, name=name) for point, name in zip(points, names, strict=True))
