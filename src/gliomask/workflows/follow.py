"""``follow``: masks of a patient over time: volumes, diameters, changes and errors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np

from gliomask.config.follow import FollowOptions as FollowOptions
from gliomask.core.atomic import atomic_folder, write_text
from gliomask.core.identity import date_of, patient_in
from gliomask.core.output_folder import check_replaceable
from gliomask.core.plausibility import doubtful_size
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.regions import region_masks
from gliomask.datasets.case_names import case_id
from gliomask.errors import ConfigError, FormatError, option, same_with
from gliomask.formats.nifti import read_nifti
from gliomask.jobs.control import SILENT, Control
from gliomask.lesions.course import RegionCourse, region_course
from gliomask.lesions.description import RegionReport, describe_labelled
from gliomask.lesions.error import Measured, probability_volume, stated_volume
from gliomask.lesions.lesions import Lesions, Mask, find_lesions
from gliomask.lesions.matching import Track, match_lesions, on_grid
from gliomask.metrics.grids import on_reading_frame, same_grid
from gliomask.provenance.record import provenance
from gliomask.provenance.run_files import PROVENANCE
from gliomask.report.follow.page import follow_page
from gliomask.report.follow.table import Followed, follow_csv
from gliomask.results.prediction.time_points import TimePoint, read_time_points

FOLLOW = "follow"
_OURS = {f"{FOLLOW}.{kind}" for kind in ("csv", "json", "html")} | {PROVENANCE}
ARITHMETIC = (
    "Percentages next to RANO's thresholds (25 % above the smallest sum of products before, 50 % "
    "below the first) are arithmetic, not a response assessment. "
    f"{RESEARCH_USE_ONLY}."
)
_UNREGISTERED = (
    "The time points lie on different grids, and a header does not state whether such scans are "
    "registered: lesions are not matched, and a lesion that crosses RANO's size of 10 mm enters or "
    f"leaves the sum of products. If the scans are registered, use {option('registered')}."
)
_ONE_GRID = (
    "All time points have the same grid and are treated as registered: overlapping lesions are one."
)
_TOLD = "Lesions are matched by overlap, because the scans are stated to be registered."


@dataclass(frozen=True)
class FollowResult:
    """Result of ``follow``.

    Attributes:
        out: the folder written.
        followed: time points, course of each region, and notes.
    """

    out: Path
    followed: Followed


def follow(options: FollowOptions, control: Control = SILENT) -> FollowResult:
    """Measure masks of a patient over time and write ``follow.csv``, ``.json`` and ``.html``.

    Raises:
        InputError: a time point can't be used, or ``out`` contains something else.
        FormatError: a mask or its record is damaged.
        ConfigError: the number of dates differs from that of inputs, or the dates in the names of
            files, or the known dates if some are unknown, contradict the order of the inputs.
    """
    check_replaceable(options.out, "a result of follow", {f"{FOLLOW}.json"}, _OURS)
    read = read_time_points(options.inputs, options.labels, control)
    points, notes = _in_order(read, options.dates)
    regions = _shared_regions(points)
    registered, registration_note = _registration(points, options.registered)
    control.start(len(regions) * len(points), "measuring")
    courses = tuple(_course(points, region, registered, control) for region in regions)
    followed = Followed(
        names=tuple(point.name for point in points),
        dates=tuple(point.day for point in points),
        courses=courses,
        notes=(*notes, *_remarks(points, regions), registration_note, ARITHMETIC),
    )
    with atomic_folder(options.out) as folder:
        write_text(folder / f"{FOLLOW}.csv", follow_csv(followed))
        write_text(folder / f"{FOLLOW}.json", _json(points, followed))
        write_text(folder / f"{FOLLOW}.html", follow_page(followed))
        text = json.dumps(provenance(FOLLOW, options), indent=1)
        write_text(folder / PROVENANCE, text + "\n")
    return FollowResult(options.out, followed)


def _in_order(
    points: Sequence[TimePoint], dates: Sequence[date]
) -> tuple[tuple[TimePoint, ...], tuple[str, ...]]:
    """Sort time points by the given dates, or by those of the predictions if all have one.

    Dates in the names of files complete those of the predictions; they must be in order, and so
    must the known dates if some are unknown.
    """
    if dates and len(dates) != len(points):
        raise ConfigError(
            "not a date for each",
            option="dates",
            found=",".join(map(str, dates)),
            allowed=f"one for each of {len(points)} time points",
        )
    if dates:
        points = [
            replace(point, day=day, acquired=None) for point, day in zip(points, dates, strict=True)
        ]
    points, notes = _dated_by_name(points)
    if all(point.day is not None for point in points):
        ordered, order_notes = _by_date(points)
        return ordered, (*notes, *order_notes)
    _check_ascending(points, "the known dates")
    unknown = "Some dates are unknown: the time points are in the given order."
    return tuple(points), (*notes, unknown)


def _dated_by_name(points: Sequence[TimePoint]) -> tuple[Sequence[TimePoint], list[str]]:
    """Time points, dated by their file names where no record states a date; and a note.

    A date that all names share is that of the patient, not of an examination.
    """
    if len({date_of(case_id(point.path.name)) for point in points}) == 1:
        return points, []
    dated = [replace(p, day=p.day or date_of(case_id(p.path.name))) for p in points]
    if [point.day for point in dated] == [point.day for point in points]:
        return points, []
    _check_ascending(dated, "the dates in the names of the files")
    return dated, ["Dates that no record states are those in the names of the files."]


def _check_ascending(points: Sequence[TimePoint], what: str) -> None:
    """Check that the known dates are in order.

    Raises:
        ConfigError: they are not; it shows the option that states all dates.
    """
    days = [point.day for point in points if point.day is not None]
    if days == sorted(days):
        return
    stated = ",".join(str(point.day or "YYYY-MM-DD") for point in points)
    raise ConfigError(
        f"{what} contradict the order of the time points",
        option="inputs",
        found=", ".join(map(str, days)),
        allowed="in order of time",
        hint=f"change the order, or state the dates: {same_with(('dates', stated))}",
    )


def _by_date(points: Sequence[TimePoint]) -> tuple[tuple[TimePoint, ...], list[str]]:
    """Time points with dates, sorted by date, with notes on their order.

    Those of one date are sorted by acquisition time if it is known. If all have the same date, it
    may be that of an anonymiser, as may be their times of day: they keep the given order.
    """
    days = [point.day for point in points if point.day is not None]
    repeated = sorted({day for day in days if days.count(day) > 1})
    timed = {
        day
        for day in repeated
        if len(set(days)) > 1 and all(point.acquired for point in points if point.day == day)
    }
    ordered = sorted(points, key=lambda point: _moment(point, timed=point.day in timed))
    notes = []
    if [point.name for point in ordered] != [point.name for point in points]:
        notes.append("The time points are sorted by date.")
    for day in repeated:
        order = "sorted by acquisition time" if day in timed else "in the given order"
        notes.append(f"WARNING: time points of one date ({day}): they are {order}.")
    return tuple(ordered), notes


def _moment(point: TimePoint, *, timed: bool) -> tuple[date, datetime]:
    """Sort key of time points: the day, and the time of acquisition."""
    return point.day or date.min, (timed and point.acquired) or datetime.min


def _shared_regions(points: Sequence[TimePoint]) -> tuple[str, ...]:
    first = points[0].regions
    return tuple(r for r in first if all(r in point.regions for point in points))


def _remarks(points: Sequence[TimePoint], regions: Sequence[str]) -> list[str]:
    remarks = _patient_remarks(points)
    sizes = [(point.name, doubtful_size(point.mask.shape, point.affine)) for point in points]
    remarks += [f"WARNING: {name}: {doubt}." for name, doubt in sizes if doubt]
    left_out = {r for point in points for r in point.regions} - set(regions)
    if left_out:
        names = ", ".join(sorted(left_out))
        remarks.append(f"Regions omitted because not every mask has them: {names}.")
    origins = "; ".join(f"{point.name} {point.origin}" for point in points if point.origin)
    if origins:
        remarks.append(f"Masks: {origins}.")
    explanations = {point.explanation for point in points}
    return [*remarks, *(f"Masks read with {explanation}." for explanation in sorted(explanations))]


def _patient_remarks(points: Sequence[TimePoint]) -> list[str]:
    remarks = []
    named = {
        point.patient or patient_in(case_id(point.path.name))
        for point in points
        if point.patient_known
    }
    patients = sorted(patient for patient in named if patient is not None)
    if len(patients) > 1:
        remarks.append(f"WARNING: the time points name different patients: {', '.join(patients)}.")
    unknown = ", ".join(point.name for point in points if not point.patient_known)
    if unknown:
        remarks.append(
            f"The patient is unknown ({unknown}): it was not checked that all time points are of "
            "one patient."
        )
    return remarks


def _registration(points: Sequence[TimePoint], requested: bool) -> tuple[bool, str]:
    """Decision whether lesions are matched, with the reason."""
    grids = [on_reading_frame(point.mask, point.affine)[1] for point in points]
    if all(same_grid(grids[0], grid) for grid in grids[1:]):
        return True, _ONE_GRID
    return (True, _TOLD) if requested else (False, _UNREGISTERED)


def _course(
    points: Sequence[TimePoint], region: str, registered: bool, control: Control
) -> RegionCourse:
    measured = []
    for point in points:
        measured.append(_measured(point, region, control))
        control.advance(note=f"{region} of {point.name}")
    lesions_of_points, reports, volumes = zip(*measured, strict=True)
    return region_course(
        reports, volumes, _tracks(points, lesions_of_points) if registered else None
    )


def _measured(
    point: TimePoint, region: str, control: Control
) -> tuple[Lesions, RegionReport, Measured]:
    """Lesions of a region at a time point, their measurements, and the volume of the region."""
    mask = region_masks(point.mask, (region,))[0]
    lesions = find_lesions(mask, point.affine)
    control.check()
    report = describe_labelled(mask, lesions, point.affine, region)
    control.check()
    return lesions, report, _best_volume(point, region, mask, report.volume_ml)


def _tracks(points: Sequence[TimePoint], lesions_over_time: Sequence[Lesions]) -> tuple[Track, ...]:
    """Match lesions by overlap, on the grid of the first time point."""
    first = points[0]
    i, j, k = first.mask.shape
    labels = [
        on_grid(lesions.labels, point.affine, (i, j, k), first.affine)
        for lesions, point in zip(lesions_over_time, points, strict=True)
    ]
    return match_lesions(lesions_over_time, labels)


def _best_volume(point: TimePoint, region: str, mask: Mask, measured: Measured) -> Measured:
    """Volume with an error: the interval of the prediction, else from other thresholds, else from
    the boundary."""
    if region in point.stated:
        return stated_volume(measured.value, point.stated[region])
    path = point.probabilities.get(region)
    if path is None or point.threshold is None:
        return measured
    probability, affine = read_nifti(path)
    if probability.shape != mask.shape or not np.array_equal(affine, point.affine):
        raise FormatError("probabilities on another grid than their mask", path=path)
    ends = probability_volume(probability, point.threshold, affine)
    value = measured.value
    return replace(ends, value=value, low=min(ends.low, value), high=max(ends.high, value))


def _json(points: Sequence[TimePoint], followed: Followed) -> str:
    keys = {
        "notice": RESEARCH_USE_ONLY,
        "notes": followed.notes,
        "time_points": [
            {
                "name": point.name,
                "date": point.day,
                "patient": point.patient,
                "mask": point.path,
                "drawn": point.origin or None,
            }
            for point in points
        ],
        "regions": [asdict(course) for course in followed.courses],
    }
    return json.dumps(keys, indent=1, allow_nan=False, default=str) + "\n"
