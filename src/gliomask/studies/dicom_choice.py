"""Selection of a DICOM series for each sequence.

Criteria between several series of a sequence, in this order: evidence; coverage of the reference's
head and its plane; voxel size; number of slices; time of acquisition. The reference is the series
whose grid the mask will have: FLAIR if available, else T2, post-contrast T1 or T1; among several,
one with a whole head in axial slices, like the training data of the models. A choice of the user
overrides all criteria.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gliomask.core.geometry import spacing_mm, voxel_ml
from gliomask.core.volume import BEST_SHOWN
from gliomask.formats.dicom.series import Series
from gliomask.studies.contrast_order import by_order
from gliomask.studies.dicom_picks import BY_HAND, number_of
from gliomask.studies.read_series import RecognisedSeries
from gliomask.studies.sequences import BY_NAME

_WHOLE_MM = 100.0
"""A series that measures less along an axis shows a part of the head."""
_ISOTROPIC = 2.0
"""Maximum anisotropy of voxels that are suitable for all planes."""
_IN_PLANE = np.cos(np.radians(30))
"""Slices turned against each other by less than 30 degrees lie in one plane."""
_INNER = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
"""Where a field of view is probed, as shares of its sides; its rim is air."""
_AXIAL = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class SeriesChoice:
    """The series to use.

    Attributes:
        among: all series of the study, with their recognised sequences.
        chosen: sequence -> the series to use, one of ``among``.
        contrast_order: the order that alone distinguishes post-contrast T1 from T1; else empty.
        reference: series for the comparison of plane and coverage.
    """

    among: tuple[RecognisedSeries, ...]
    chosen: dict[str, RecognisedSeries] = field(default_factory=dict)
    contrast_order: str = ""
    reference: RecognisedSeries | None = None

    def rival(self, series: RecognisedSeries) -> RecognisedSeries | None:
        """The used series of the sequence of ``series``, if it is another one."""
        best = self.chosen.get(series.recognition.sequence or "")
        return best if best is not series else None

    def advantage(self, series: RecognisedSeries) -> str:
        """Reason to prefer the used series to ``series``, as a phrase."""
        best = self.rival(series)
        if best is None:
            return ""
        reference = None if best is self.reference else self.reference
        pairs = zip(_keys(best, reference), _keys(series, reference), strict=True)
        return next((words for (a, words), (b, _) in pairs if a != b), "it comes first")

    def runner_up(self, sequence: str) -> RecognisedSeries | None:
        """Best unused series for a sequence."""
        best = self.chosen[sequence]
        others = [series for series in self.among if self.rival(series) is best]
        reference = None if best is self.reference else self.reference
        return min(others, key=lambda series: _rank(series, reference), default=None)


def choose_series(among: Sequence[RecognisedSeries]) -> SeriesChoice:
    """Choose the series, by the criteria above."""
    by_sequence: dict[str, list[RecognisedSeries]] = {}
    for series in among:
        by_sequence.setdefault(series.recognition.sequence or "", []).append(series)
    first = next((name for name in BEST_SHOWN if name in by_sequence), None)
    if first is None:
        return SeriesChoice(tuple(among))
    reference = min(by_sequence[first], key=lambda series: _rank(series, None))
    chosen = {
        name: min(by_sequence[name], key=lambda series: _rank(series, reference))
        for name in BEST_SHOWN
        if name in by_sequence and name != first
    }
    return _with_contrast(SeriesChoice(tuple(among), {first: reference, **chosen}, "", reference))


def _with_contrast(choice: SeriesChoice) -> SeriesChoice:
    """post-contrast T1 by its order in the study, without other evidence."""
    t1 = choice.chosen.get("t1")
    by_hand = t1 is not None and BY_HAND in t1.recognition.evidence
    if t1 is None or by_hand or "t1ce" in choice.chosen:
        return choice
    others = [
        series
        for series in choice.among
        if series is not t1
        and series.recognition.sequence == "t1"
        and series.recognition.contrast is None
    ]
    reference = None if t1 is choice.reference else choice.reference
    contrast_order = by_order(t1, sorted(others, key=lambda series: _rank(series, reference)))
    if contrast_order is None:
        return choice
    after, order = contrast_order
    evidence = (*after.recognition.evidence, order)
    replaced = RecognisedSeries(
        after.series, replace(after.recognition, sequence="t1ce", evidence=evidence)
    )
    return replace(
        choice,
        among=tuple(replaced if series is after else series for series in choice.among),
        chosen={**choice.chosen, "t1ce": replaced},
        contrast_order=order,
    )


_Key = tuple[float, str]


def _keys(candidate: RecognisedSeries, reference: RecognisedSeries | None) -> tuple[_Key, ...]:
    """Ranking keys of a series, less is better, each with a phrase for the advantage."""
    series, recognition = candidate.series, candidate.recognition
    doubtful = recognition.sequence == "t1ce" and BY_NAME not in recognition.evidence
    number = number_of(series.tags)
    return (
        (BY_HAND not in recognition.evidence, "the user chose it"),
        (doubtful, "its name states post-contrast, not only its header"),
        (-recognition.strength, "its name and its timing agree"),
        (not recognition.head, "its name or header mentions the head"),
        *_place_keys(series, None if reference is None else reference.series),
        (round(voxel_ml(series.affine), 9), "its voxels are finer"),
        (-series.shape[2], "it has more slices"),
        (series.tags.acquired or 0.0, "it was acquired first"),
        (number, "it comes first"),
    )


def _place_keys(series: Series, reference: Series | None) -> tuple[_Key, _Key]:
    if reference is None:
        sides = np.array(series.shape) * spacing_mm(series.affine)
        whole = min(1.0, float(sides.min()) / _WHOLE_MM)
        mm = spacing_mm(series.affine)
        serves = max(mm) <= _ISOTROPIC * min(mm) or _in_plane(_normal(series), _AXIAL)
        return (-round(whole, 1), "it covers more of the head"), (
            not serves,
            "its slices are axial",
        )
    label = reference.tags.label
    return (
        (-round(_covered(series, reference), 1), f"it covers more of the head in {label}"),
        (not _in_plane(_normal(series), _normal(reference)), f"it lies in the plane of {label}"),
    )


def _rank(candidate: RecognisedSeries, reference: RecognisedSeries | None) -> tuple[object, ...]:
    return *(key for key, _ in _keys(candidate, reference)), candidate.series.tags.series_uid


def _normal(series: Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The direction between slices, of length 1."""
    step = np.cross(series.affine[:3, 0], series.affine[:3, 1])
    return np.asarray(step / np.linalg.norm(step), np.float64)


def _in_plane(
    first: np.ndarray[tuple[int], np.dtype[np.float64]],
    other: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> bool:
    return bool(abs(first @ other) >= _IN_PLANE)


def _covered(series: Series, reference: Series) -> float:
    """The share of probed points within the reference's field of view that a series reaches."""
    grid = np.stack(np.meshgrid(*[_INNER * (n - 1) for n in reference.shape]), axis=-1)
    points = np.concatenate([grid.reshape(-1, 3), np.ones((_INNER.size**3, 1))], axis=1)
    index = points @ np.linalg.solve(series.affine, reference.affine).T
    inside = (index[:, :3] >= -0.5) & (index[:, :3] <= np.array(series.shape) - 0.5)
    return float(inside.all(axis=1).mean())
