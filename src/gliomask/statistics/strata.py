"""Scores of patients that have something in common, each group with its own summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gliomask.metrics.policy import Score
from gliomask.statistics.grouping import Grouping, Value, group_patients
from gliomask.statistics.summary import Summary, summarise


@dataclass(frozen=True)
class Stratum:
    """One group of patients.

    Attributes:
        label: what they have in common, for people: "2.1 to 14 ml", "other", "not known".
        pooled: the categories that "other" stands for; empty for all else.
        summary: of their scores; ``n`` + ``n_empty`` patients, an interval if ``n`` is 2 or more.
    """

    label: str
    pooled: tuple[str, ...]
    summary: Summary


@dataclass(frozen=True)
class Strata:
    """Scores by one value.

    Attributes:
        strata: in the order of ``grouping.Groups``; empty if no patient was given.
        note: how they were made, in words, to be said beside them.
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
    """The summary of each group of patients that ``group_patients`` makes.

    Args:
        scores: of each patient, None where the policy gives none.
        values: of each patient, by which they are grouped.
        grouping: edges and unit; tertiles without a unit if it is not given.
        seed: of the bootstrap.

    Raises:
        ValueError: as ``group_patients``; a score that is not finite.
    """
    groups = group_patients(scores, values, grouping)
    strata = (
        Stratum(g.label, g.pooled, summarise([scores[name] for name in g.patients], seed=seed))
        for g in groups.groups
    )
    return Strata(tuple(strata), groups.note)
