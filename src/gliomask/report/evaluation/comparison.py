"""A comparison of sets of predictions as one page, and the rows of its table."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

from markupsafe import Markup

from gliomask.core.regions import REGIONS
from gliomask.metrics.metric import METRICS
from gliomask.metrics.policy import POLICY
from gliomask.report import style
from gliomask.report.evaluation import charts
from gliomask.report.evaluation.tables import TextTable, name_of
from gliomask.report.numbers import interval_text, number_text, signed_text
from gliomask.report.page import Assets, package_text, render
from gliomask.statistics.comparison import Comparison, PairedDifference

COLUMNS = (
    "score",
    "first",
    "second",
    "mean of first",
    "mean of second",
    "difference",
    "95 % interval",
    "p",
    "p, Holm",
    "first better",
    "equal",
    "second better",
    "patients",
)
_EXPLAINED = (
    "Differences are first minus second, patient by patient. The interval is a paired bootstrap of "
    "the mean difference, p that of a paired permutation test (signs flipped), corrected by Holm "
    "for all comparisons on this page."
)


def comparison_rows(found: Comparison) -> tuple[tuple[str, ...], ...]:
    """A row of text for each pair and score, in the order of ``COLUMNS``."""
    return tuple(_row(one) for one in found.differences)


def comparison_page(found: Comparison) -> str:
    """The page's HTML."""
    table = TextTable(_EXPLAINED, COLUMNS, comparison_rows(found))
    context = {
        "sets": found.sets,
        "shared": found.n_shared,
        "absent": found.absent,
        "table": table,
        "charts": _charts(found),
        "empty_masks": POLICY.text,
        "version": version("gliomask"),
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    styles = (package_text("static/evaluation.css"),)
    return render("comparison.html.j2", context, Assets(styles=styles, style_attributes=True))


def _row(one: PairedDifference) -> tuple[str, ...]:
    metric, region = _split(one.metric)
    digits = METRICS[metric].decimals
    return (
        _title(metric, region),
        one.first,
        one.second,
        number_text(one.mean_first, digits),
        number_text(one.mean_second, digits),
        number_text(None, 0) if one.difference is None else signed_text(one.difference, digits),
        interval_text(one.ci95, digits),
        _probability(one.p),
        _probability(one.p_holm),
        str(one.wins),
        str(one.ties),
        str(one.losses),
        str(one.n),
    )


def _charts(found: Comparison) -> list[tuple[str, Markup]]:
    drawn = []
    for key in dict.fromkeys(one.metric for one in found.differences):
        rows = [one for one in found.differences if one.metric == key and one.n]
        metric, region = _split(key)
        title = _title(metric, region)
        figure = charts.differences(rows, name_of(METRICS[metric]))
        svg = style.inline_svg(figure, f"difference_{metric}_{region}", title)
        drawn.append((title, Markup(svg)))  # noqa: S704
    return drawn


def _title(metric: str, region: str) -> str:
    return f"{name_of(METRICS[metric])}, {REGIONS[region].title if region in REGIONS else region}"


def _split(key: str) -> tuple[str, str]:
    metric, _, region = key.partition(" ")
    return metric, region


def _probability(value: float | None) -> str:
    """Never 0: that would say impossible."""
    if value is None:
        return number_text(None, 0)
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
