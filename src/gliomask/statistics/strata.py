"""Summaries of scores for groups of patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gliomask.metrics.policy import Score
from gliomask.statistics.grouping import Grouping, Value, group_patients
from gliomask.statistics.summary import Summary, summarise


@dataclass(frozen=True)
class Stratum:
    """Scores of a group of patients.

    Attributes:
        label: display label: "2.1 to 14 ml", "other", "not known".
        pooled: the categories in "other"; otherwise empty.
        summary: summary of their scores; ``n`` + ``n_empty`` patients, an interval if ``n`` is 2 or
            more.
    """

    label: str
    pooled: tuple[str, ...]
    summary: Summary


@dataclass(frozen=True)
class Strata:
    """Scores by one value.

    Attributes:
        strata: in the order of ``grouping.Groups``; empty if no patient was given.
        note: note on the grouping, to show with the groups.
    """

    strata: tuple[Stratum, ...]
    note: str


def stratify(
    scores: Mapping[str, Score],
    values: Mapping[str, Value],
    grouping: Grouping | None = None,
    *,
    seed: int = 0,
) -> Strata:
    """Summarise each group of patients from ``group_patients``.

    Args:
        scores: score of each patient, None if undefined.
        values: value of each patient, for grouping.
        grouping: edges and unit; default: tertiles without a unit.
        seed: seed of the bootstrap.

    Raises:
        ValueError: as ``group_patients``; a score that is not finite.
    """
    groups = group_patients(scores, values, grouping)
    strata = (
        Stratum(g.label, g.pooled, summarise([scores[name] for name in g.patients], seed=seed))
        for g in groups.groups
    )
    return Strata(tuple(strata), groups.note)
