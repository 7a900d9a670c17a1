"""Page of a comparison of sets of predictions, and the rows of its table."""

from __future__ import annotations

from collections.abc import Sequence
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
from gliomask.report.package_files import package_text
from gliomask.report.page import Assets, render
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


def comparison_rows(compared: Comparison) -> tuple[tuple[str, ...], ...]:
    """A row of text for each pair and score, in the order of ``COLUMNS``."""
    return tuple(_row(difference) for difference in compared.differences)


def comparison_page(compared: Comparison, notes: Sequence[str] = ()) -> str:
    """The page's HTML.

    Args:
        compared: the comparison to show.
        notes: above the table, sentences.
    """
    table = TextTable(_EXPLAINED, COLUMNS, comparison_rows(compared))
    context = {
        "sets": compared.sets,
        "shared": compared.n_shared,
        "absent": compared.absent,
        "notes": notes,
        "table": table,
        "charts": _charts(compared),
        "empty_masks": POLICY.text,
        "version": version("gliomask"),
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    styles = (package_text("static/evaluation.css"),)
    return render("comparison.html.j2", context, Assets(styles=styles, style_attributes=True))


def _row(difference: PairedDifference) -> tuple[str, ...]:
    metric, region = _split(difference.metric)
    digits = METRICS[metric].decimals
    return (
        _title(metric, region),
        difference.first,
        difference.second,
        number_text(difference.mean_first, digits),
        number_text(difference.mean_second, digits),
        number_text(None, 0)
        if difference.difference is None
        else signed_text(difference.difference, digits),
        interval_text(difference.ci95, digits),
        _probability(difference.p),
        _probability(difference.p_holm),
        str(difference.wins),
        str(difference.ties),
        str(difference.losses),
        str(difference.n),
    )


def _charts(compared: Comparison) -> list[tuple[str, Markup]]:
    drawn = []
    for key in dict.fromkeys(difference.metric for difference in compared.differences):
        rows = [
            difference
            for difference in compared.differences
            if difference.metric == key and difference.n
        ]
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
    """Text of a p value, never 0."""
    if value is None:
        return number_text(None, 0)
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
