"""Statistics of scores over patients.

    >>> from gliomask import statistics
    >>> statistics.summarise([0.75, 0.5, 1.0, None]).mean
    0.75

Scores are plain numbers, one for each patient, None if the policy defines none
(``metrics.POLICY``); no result is NaN. Random procedures take a seed, and the same input gives the
same output.

- ``summarise``, ``bootstrap_ci95``: mean, median, percentiles, the interval of a mean.
- ``stratify``: the same for groups of patients, by a category or a number.
- ``agreement``: volumes by Bland and Altman, and Lin's concordance.
- ``compare``, ``sign_flip_test``, ``holm``: sets of predictions in pairs.
- ``count_logits``, ``count_probabilities``, ``pool``: additive histograms of voxels;
  ``calibration``: their reliability diagram, ECE and Brier score; ``fit_temperature``,
  ``adjusted_threshold``: temperature scaling that does not change masks.
"""

from __future__ import annotations

from gliomask.statistics.calibration_curve import Calibration, calibration
from gliomask.statistics.comparison import Comparison, PairedDifference, compare
from gliomask.statistics.grouping import Grouping
from gliomask.statistics.limits_of_agreement import Agreement, agreement
from gliomask.statistics.logit_counts import (
    LogitCounts,
    count_logits,
    count_probabilities,
    pool,
)
from gliomask.statistics.permutation import holm, sign_flip_test
from gliomask.statistics.strata import Strata, stratify
from gliomask.statistics.summary import (
    Summary,
    bootstrap_ci95,
    scores_by_patient,
    summarise,
)
from gliomask.statistics.temperature import Temperature, adjusted_threshold, fit_temperature

__all__ = [
    "Agreement",
    "Calibration",
    "Comparison",
    "Grouping",
    "LogitCounts",
    "PairedDifference",
    "Strata",
    "Summary",
    "Temperature",
    "adjusted_threshold",
    "agreement",
    "bootstrap_ci95",
    "calibration",
    "compare",
    "count_logits",
    "count_probabilities",
    "fit_temperature",
    "holm",
    "pool",
    "scores_by_patient",
    "sign_flip_test",
    "stratify",
    "summarise",
]
