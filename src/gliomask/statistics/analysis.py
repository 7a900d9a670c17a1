"""Statistical analysis of the scores of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from gliomask.metrics.case_score import CaseScore
from gliomask.statistics.calibration_curve import Calibration, calibration
from gliomask.statistics.evaluation_summary import EvaluationSummary, summarise_scores, summary_keys
from gliomask.statistics.grouping import Grouping, Value
from gliomask.statistics.limits_of_agreement import Agreement, agreement
from gliomask.statistics.logit_counts import LogitCounts
from gliomask.statistics.strata import Strata, stratify
from gliomask.statistics.summary import scores_by_patient

SIZE = "tumour size"
_UNITS = {"slice thickness": "mm"}
Traits = Mapping[str, Mapping[str, Value]]
"""Patient -> name of a property -> value."""


@dataclass(frozen=True)
class Probabilities:
    """Calibration counts of a region.

    Attributes:
        counts: counts of all evaluated cases, calibrated by the model card.
        temperature: temperature of that calibration, 1 if there was none; uncalibrated values are
            also shown.
    """

    counts: LogitCounts
    temperature: float = 1.0


@dataclass(frozen=True)
class Analysis:
    """Results of an evaluation.

    Attributes:
        scores: every row, cases in the order of evaluation.
        summary: summary over patients.
        volume_unit: ``ml``, or ``px`` if any case lacks millimetres.
        strata: grouping property -> Dice of the first region in each group.
        agreement: region -> agreement of its volumes.
        calibration: region -> (uncalibrated, calibrated by the card); one entry without a
            temperature, none if only masks are known.
    """

    scores: tuple[CaseScore, ...]
    summary: EvaluationSummary
    volume_unit: str
    strata: Mapping[str, Strata]
    agreement: Mapping[str, Agreement]
    calibration: Mapping[str, tuple[tuple[str, Calibration], ...]]

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions in the order of the tables."""
        return tuple(self.summary.metrics["dice"])


def analyse(
    scores: Sequence[CaseScore],
    traits: Traits | None = None,
    probabilities: Mapping[str, Probabilities] | None = None,
) -> Analysis:
    """Compute the analysis; the same rows give the same results.

    Args:
        scores: rows of any cases and regions, at least one.
        traits: properties of the patients.
        probabilities: region -> calibration counts.
    """
    unit = "ml" if all(score.voxel_ml is not None for score in scores) else "px"
    summary = summarise_scores(scores)
    regions = tuple(summary.metrics["dice"])
    rows = {region: [s for s in scores if s.region == region] for region in regions}
    return Analysis(
        scores=tuple(scores),
        summary=summary,
        volume_unit=unit,
        strata=_strata(rows[regions[0]], traits or {}, unit),
        agreement={
            region: agreement((s.patient, *volumes_of_score(s, unit)) for s in region_rows)
            for region, region_rows in rows.items()
        },
        calibration={
            region: _calibration(counts)
            for region, counts in (probabilities or {}).items()
            if region in regions
        },
    )


def volumes_of_score(score: CaseScore, unit: str) -> tuple[float, float]:
    """Volumes of reference and prediction, in ``ml`` or ``px``."""
    factor = score.voxel_ml if unit == "ml" and score.voxel_ml is not None else 1.0
    return score.overlap.reference * factor, score.overlap.predicted * factor


def analysis_keys(analysis: Analysis) -> dict[str, object]:
    """Convert the analysis to plain JSON values, with the keys of the summary first."""
    return {
        **summary_keys(analysis.summary),
        "volume_unit": analysis.volume_unit,
        "strata": {
            name: {
                "note": strata.note,
                "dice": {stratum.label: asdict(stratum.summary) for stratum in strata.strata},
            }
            for name, strata in analysis.strata.items()
        },
        "agreement": {
            region: {k: v for k, v in asdict(result).items() if k != "points"}
            for region, result in analysis.agreement.items()
        },
        "calibration": {
            region: {name: asdict(result) for name, result in curves}
            for region, curves in analysis.calibration.items()
        },
    }


def _strata(rows: Sequence[CaseScore], traits: Traits, unit: str) -> dict[str, Strata]:
    """Strata of the Dice of the first region; a property that is equal for all patients is
    omitted."""
    scores = scores_by_patient((row.patient, row.overlap.dice) for row in rows)
    sizes = {
        patient: float(
            np.mean([volumes_of_score(r, unit)[0] for r in rows if r.patient == patient])
        )
        for patient in scores
    }
    names = dict.fromkeys(name for patient in scores for name in traits.get(patient, {}))
    by_column = {SIZE: stratify(scores, sizes, Grouping(unit=unit))}
    for name in names:
        values = {patient: traits.get(patient, {}).get(name) for patient in scores}
        by_column[name] = stratify(scores, values, Grouping(unit=_UNITS.get(name, "")))
    return {name: strata for name, strata in by_column.items() if len(strata.strata) > 1}


def _calibration(region_probabilities: Probabilities) -> tuple[tuple[str, Calibration], ...]:
    if region_probabilities.temperature == 1.0:
        return (("uncalibrated", calibration(region_probabilities.counts)),)
    # The probabilities are already calibrated: the inverse temperature reverts that.
    return (
        (
            "uncalibrated",
            calibration(region_probabilities.counts, 1 / region_probabilities.temperature),
        ),
        (
            f"calibrated (T = {region_probabilities.temperature:.2f})",
            calibration(region_probabilities.counts),
        ),
    )
