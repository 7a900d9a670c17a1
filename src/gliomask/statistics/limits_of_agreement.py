"""Agreement of volumes: Bland-Altman analysis and Lin's concordance correlation coefficient.

A correlation is not a measure of agreement: it is high if patients differ much from each other.
Bland and Altman analyse the differences instead (Lancet 1986;327:307; Statistical Methods in
Medical Research 1999;8:135).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Row = tuple[str, float | None, float | None]
"""(patient, reference, predicted): volumes of a case, None if unknown."""

_Z = 1.96
"""Standard normal deviate that 95 % of differences lie within, rounded as in the papers."""


@dataclass(frozen=True)
class Estimate:
    """An estimate with its confidence interval.

    Attributes:
        value: the estimate.
        ci95: its 95 % confidence interval; None for fewer than two patients.
    """

    value: float
    ci95: tuple[float, float] | None


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Limits of agreement of the differences, predicted minus reference.

    Attributes:
        n: number of patients.
        bias: the mean difference; None if ``n`` is 0.
        sd: standard deviation of the differences (n - 1 in the denominator); None if ``n`` < 2,
            and with it the limits.
        lower, upper: limits of agreement, bias -/+ 1.96 SD, which contain 95 % of differences if
        they are normally distributed.
    """

    n: int
    bias: Estimate | None
    sd: float | None
    lower: Estimate | None
    upper: Estimate | None


@dataclass(frozen=True)
class AgreementPoint:
    """A patient in the plot.

    Attributes:
        patient: the key.
        mean: of reference and predicted, in the unit of the volumes.
        difference: predicted minus reference.
        percent: the difference in % of the mean, from -200 to 200; None if both volumes are 0.
    """

    patient: str
    mean: float
    difference: float
    percent: float | None


@dataclass(frozen=True)
class Agreement:
    """Agreement of predicted and reference volumes.

    Attributes:
        n: number of patients with both volumes.
        n_missing: patients without a case with both volumes, who are excluded.
        n_both_zero: patients with both volumes 0, who are included in ``absolute`` and excluded
            from ``percent``.
        absolute: limits in the unit of the volumes.
        percent: limits in % of the mean of the two volumes.
        concordance: Lin's coefficient, from -1 to 1; None if ``n`` < 2 or all volumes are equal.
        points: for the plot, in the order of the patients' first rows.
    """

    n: int
    n_missing: int
    n_both_zero: int
    absolute: LimitsOfAgreement
    percent: LimitsOfAgreement
    concordance: float | None
    points: tuple[AgreementPoint, ...]


def agreement(rows: Iterable[Row]) -> Agreement:
    """Analyse volumes in any unit.

    Several cases of a patient count once, with their means; cases without a volume are excluded.

    Raises:
        ValueError: a volume is negative, infinite or not a number.
    """
    pairs = _by_patient(rows)
    measured = [(name, *pair) for name, pair in pairs.items() if pair is not None]
    points = tuple(_point(*values) for values in measured)
    percents = [point.percent for point in points if point.percent is not None]
    return Agreement(
        n=len(points),
        n_missing=len(pairs) - len(points),
        n_both_zero=len(points) - len(percents),
        absolute=limits([point.difference for point in points]),
        percent=limits(percents),
        concordance=concordance(
            [values[1] for values in measured], [values[2] for values in measured]
        ),
        points=points,
    )


def limits(differences: Sequence[float]) -> LimitsOfAgreement:
    """Bias and limits of agreement, with the intervals of Bland and Altman 1999, section 2.

    With t the 97.5 % quantile of Student's t distribution with n - 1 degrees of freedom, the
    interval of the bias is bias -/+ t SD / sqrt(n), that of a limit is limit -/+ t SD sqrt(1/n +
    1.96² / (2 (n - 1))). (The 1986 paper rounds 1.96 to 2 and that root to sqrt(3/n).)

    Args:
        differences: one for each patient, finite.
    """
    n = len(differences)
    if not n:
        return LimitsOfAgreement(0, None, None, None, None)
    bias = float(np.mean(differences))
    if n == 1:
        return LimitsOfAgreement(1, Estimate(bias, None), None, None, None)
    sd = float(np.std(differences, ddof=1))
    t = float(stdtrit(n - 1, 0.975))
    of_limit = t * sd * math.sqrt(1 / n + _Z**2 / (2 * (n - 1)))
    return LimitsOfAgreement(
        n=n,
        bias=_around(bias, t * sd / math.sqrt(n)),
        sd=sd,
        lower=_around(bias - _Z * sd, of_limit),
        upper=_around(bias + _Z * sd, of_limit),
    )


def concordance(reference: Sequence[float], predicted: Sequence[float]) -> float | None:
    """Lin's concordance correlation coefficient (Biometrics 1989;45:255).

    2 s_xy / (s_x² + s_y² + (mean_x - mean_y)²), with n in the denominators of the moments as in
    Lin. It is 1 only if all pairs are equal. None for fewer than two pairs, or if all values are
    (nearly) equal and it is 0/0.

    Raises:
        ValueError: the two differ in length.
    """
    if len(reference) != len(predicted):
        raise ValueError(f"{len(reference)} and {len(predicted)} values")
    if len(reference) < 2:
        return None
    if len({*reference, *predicted}) == 1:
        return None
    x, y = _floats(reference), _floats(predicted)
    shared = float(np.mean((x - x.mean()) * (y - y.mean())))
    spread = float(x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    return 2 * shared / spread if spread else None


def _by_patient(rows: Iterable[Row]) -> dict[str, tuple[float, float] | None]:
    pairs_by_patient: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for patient, reference, predicted in rows:
        pairs = pairs_by_patient[patient]
        if reference is not None and predicted is not None:
            pairs.append((_volume(patient, reference), _volume(patient, predicted)))
    return {patient: _mean(pairs) if pairs else None for patient, pairs in pairs_by_patient.items()}


def _volume(patient: str, value: float) -> float:
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"the volume {value} of patient {patient!r} is invalid")
    return float(value)


def _mean(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    reference, predicted = np.mean(pairs, axis=0)
    return float(reference), float(predicted)


def _point(patient: str, reference: float, predicted: float) -> AgreementPoint:
    mean, difference = (reference + predicted) / 2, predicted - reference
    return AgreementPoint(patient, mean, difference, 100 * difference / mean if mean else None)


def _around(value: float, half: float) -> Estimate:
    return Estimate(value, (value - half, value + half))


def _floats(values: Sequence[float]) -> npt.NDArray[np.float64]:
    return np.asarray(values, np.float64)
