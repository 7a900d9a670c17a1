"""Facts from the records of an evaluation, in a few words each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gliomask.core.counted import counted, listed
from gliomask.report.checklists.facts import Fact, by_this_version, software
from gliomask.report.checklists.records import (
    Records,
    count_at,
    flag_at,
    items_at,
    number_at,
    text_at,
    texts_at,
    value_at,
)
from gliomask.statistics.summary import RESAMPLES

_SUMMARY, _PROVENANCE = "evaluation/summary.json", "evaluation/provenance.json"


def data_evaluated(records: Records) -> str | None:
    """Evaluated data, as stated in the evaluation."""
    source = text_at(records.summary, "source")
    return source and f"evaluated on {source}"


def synthetic_data(records: Records) -> str | None:
    """Synthetic or real origin of the evaluated data."""
    flag = flag_at(records.summary, "synthetic_data")
    return None if flag is None else f"evaluated data are {'' if flag else 'not '}synthetic"


def overlap_with_training(records: Records) -> str | None:
    """Overlap of the evaluated patients with the training patients; warnings come first."""
    trained = texts_at(records.summary, "in_training")
    warnings = texts_at(records.summary, "warnings")
    if trained is None or warnings is None:
        return None
    if trained:
        who = counted(len(trained), "evaluated patient was", "evaluated patients were")
        return "; ".join([f"{who} trained on", *warnings])
    return "; ".join(warnings) or "no evaluated patient is a training or validation patient"


def numbers(records: Records) -> str | None:
    """Evaluated cases and patients."""
    cases = count_at(records.summary, "n_cases")
    scored, empty = count_at(records.summary, "n"), count_at(records.summary, "n_empty")
    if cases is None or scored is None or empty is None:
        return None
    evaluated = f"{counted(cases, 'case')} of {counted(scored + empty, 'patient')} evaluated"
    return f"{evaluated}: {scored} with a score, {empty} without (both masks empty)"


def failed(records: Records) -> str | None:
    """Cases that could not be evaluated."""
    cases = value_at(records.summary, "failed")
    if not isinstance(cases, list | tuple):
        return None
    return f"{counted(len(cases), 'case')} could not be evaluated"


def policy(records: Records) -> str | None:
    """Policy for empty masks, as stated in the evaluation."""
    text = text_at(records.summary, "policy")
    return text and f"empty masks: {text}"


def metrics(records: Records) -> str | None:
    """Metrics of the evaluation."""
    names = dict.fromkeys(metric for metric, _, _ in _scores(records))
    return f"scores: {listed(names)}" if names else None


def uncertainty(records: Records) -> str | None:
    """Method of the confidence intervals."""
    if not any(_interval(score) for _, _, score in _scores(records)):
        return None
    drawn = f", {RESAMPLES:,} resamples" if by_this_version(records.evaluation) else ""
    return f"95 % intervals: bootstrap percentiles of the mean over patients{drawn}"


def results(records: Records) -> str | None:
    """The mean of every score over patients, with its interval."""
    results_text = [_result(metric, region, score) for metric, region, score in _scores(records)]
    return listed(results_text, 24) if results_text else None


def worst(records: Records) -> str | None:
    """The lowest Dice and its tenth percentile."""
    lines = []
    for region, score in items_at(records.summary, "dice"):
        lowest, tenth = number_at(score, "min"), number_at(score, "p10")
        if lowest is not None and tenth is not None:
            lines.append(f"{region} {lowest:.4g} (10th percentile {tenth:.4g})")
    return f"lowest Dice of a patient: {listed(lines)}" if lines else None


def false_positives(records: Records) -> str | None:
    """False-positive rate in slices without tumour."""
    lines = []
    for region, score in items_at(records.summary, "slices"):
        rate, free = number_at(score, "false_positive_rate"), count_at(score, "n_tumour_free")
        if rate is not None and free is not None:
            lines.append(f"{region} {rate:.4g} of {free}")
    return f"tumour-free slices with false positives: {listed(lines)}" if lines else None


def weights_evaluated(records: Records) -> str | None:
    """Evaluated weights."""
    model = text_at(records.summary, "model")
    digest = text_at(records.summary, "weights_sha256")
    return f"model {model}, weights SHA-256 {digest}" if model and digest else None


def software_evaluation(records: Records) -> str | None:
    """Versions."""
    versions = software(records.evaluation)
    return versions and f"evaluation: {versions}"


EVALUATION_FACTS: Final[Mapping[str, Fact]] = {
    "data_evaluated": Fact(data_evaluated, _SUMMARY),
    "synthetic_data": Fact(synthetic_data, _SUMMARY),
    "overlap_with_training": Fact(overlap_with_training, _SUMMARY),
    "numbers": Fact(numbers, _SUMMARY),
    "failed": Fact(failed, _SUMMARY),
    "policy": Fact(policy, _SUMMARY),
    "metrics": Fact(metrics, _SUMMARY),
    "uncertainty": Fact(uncertainty, f"{_SUMMARY}, {_PROVENANCE}"),
    "results": Fact(results, _SUMMARY),
    "worst": Fact(worst, _SUMMARY),
    "false_positives": Fact(false_positives, _SUMMARY),
    "weights_evaluated": Fact(weights_evaluated, _SUMMARY),
    "software_evaluation": Fact(software_evaluation, _PROVENANCE),
}
"""Every fact of an evaluation by name."""


def _scores(records: Records) -> Iterator[tuple[str, str, object]]:
    """(metric, region, its summary) of all that has a mean over patients, whatever the metric."""
    for metric, regions in items_at(records.summary):
        for region, score in items_at(regions):
            if number_at(score, "mean") is not None and count_at(score, "n") is not None:
                yield metric, region, score


def _result(metric: str, region: str, score: object) -> str:
    mean, interval = number_at(score, "mean"), _interval(score)
    span = "" if interval is None else f" (95 % interval {interval[0]:.4g} to {interval[1]:.4g})"
    over = counted(count_at(score, "n") or 0, "patient")
    return f"{metric} of {region} {mean:.4g}{span} over {over}"


def _interval(score: object) -> tuple[float, float] | None:
    pair = value_at(score, "ci95")
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        return None
    low, high = (number_at({"end": end}, "end") for end in pair)
    return None if low is None or high is None else (low, high)
