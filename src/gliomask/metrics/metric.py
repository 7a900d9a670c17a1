"""Table of metrics: name, unit and source, for tables, reports and comparisons.

A length is in millimetres if the data has them, otherwise in pixels, as two metrics (``hd95_mm``,
``hd95_px``) that are never mixed: ``Metric.applies`` tests which one a row has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gliomask.metrics.case_score import CaseScore
from gliomask.metrics.policy import Score
from gliomask.metrics.surface_distances import SurfaceScore, Unit


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric. Called with a row, it returns the row's value.

    Attributes:
        name: name in tables and in ``summary.json``; ends with the unit.
        label: display label, without the unit.
        unit: display unit; empty for a fraction.
        higher_is_better: None for a signed error, whose best value is 0.
        decimals: number of significant decimals.
        find: reads a row to which the metric applies; None if undefined by the policy.
        applies: whether it applies to a row.
    """

    name: str
    label: str
    unit: str
    higher_is_better: bool | None
    decimals: int
    find: Callable[[CaseScore], Score]
    applies: Callable[[CaseScore], bool] = lambda _: True

    def __call__(self, score: CaseScore) -> Score:
        """Value of the row; None if the metric does not apply or is undefined by the policy."""
        return self.find(score) if self.applies(score) else None


def _share(name: str, label: str, find: Callable[[CaseScore], Score]) -> Metric:
    return Metric(name, label, "", True, 3, find)


def _surface(label: str, unit: Unit, find: Callable[[SurfaceScore], Score]) -> Metric:
    return Metric(
        f"{label.lower()}_{unit}",
        label,
        unit,
        higher_is_better=False,
        decimals=2,
        find=lambda score: None if score.surface is None else find(score.surface),
        applies=lambda score: score.surface is not None and score.surface.unit == unit,
    )


def _surface_dice(tolerance: int, unit: Unit) -> Metric:
    def find(score: CaseScore) -> Score:
        if score.surface is None:
            return None
        return score.surface.nsd_1 if tolerance == 1 else score.surface.nsd_2

    return Metric(
        f"nsd_{tolerance}{unit}",
        f"surface Dice at {tolerance} {unit}",
        "",
        higher_is_better=True,
        decimals=3,
        find=find,
        applies=lambda score: score.surface is not None and score.surface.unit == unit,
    )


def _surfaces(unit: Unit) -> tuple[Metric, ...]:
    return (
        _surface("HD95", unit, lambda surface: surface.hd95),
        _surface("ASSD", unit, lambda surface: surface.assd),
        _surface_dice(2, unit),
        _surface_dice(1, unit),
    )


def _lesion_hd95(unit: Unit) -> Metric:
    return Metric(
        f"lesion_hd95_{unit}",
        "lesion-wise HD95",
        unit,
        higher_is_better=False,
        decimals=2,
        find=lambda score: None if score.lesions is None else score.lesions.hd95,
        applies=lambda score: score.lesions is not None and score.lesions.unit == unit,
    )


_ALL = (
    _share("dice", "Dice", lambda score: score.overlap.dice),
    _share("iou", "IoU", lambda score: score.overlap.iou),
    _share("sensitivity", "sensitivity", lambda score: score.overlap.sensitivity),
    _share("precision", "precision", lambda score: score.overlap.precision),
    *_surfaces("mm"),
    *_surfaces("px"),
    Metric(
        "volume_error_ml",
        "volume error",
        "ml",
        higher_is_better=None,
        decimals=2,
        find=lambda score: score.volume_error_ml,
        applies=lambda score: score.voxel_ml is not None,
    ),
    Metric(
        "volume_error_percent",
        "volume error",
        "%",
        higher_is_better=None,
        decimals=1,
        find=lambda score: score.overlap.volume_error_percent,
    ),
    Metric(
        "lesion_dice",
        "lesion-wise Dice",
        "",
        higher_is_better=True,
        decimals=3,
        find=lambda score: None if score.lesions is None else score.lesions.dice,
        applies=lambda score: score.lesions is not None,
    ),
    _lesion_hd95("mm"),
    _lesion_hd95("px"),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ALL})
"""Scores of a row, by their names in tables."""
