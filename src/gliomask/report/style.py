"""Common style of all figures: fonts, captions, file formats.

Figures are made with matplotlib's objects, never with pyplot, so that drawing keeps no state,
needs no display and is safe in a thread.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from gliomask.core.atomic import atomic_path
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.report.colours import BLUE, FAINT, INK, LINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PAGE_COLOURS = {INK: "--ink", FAINT: "--faint", LINE: "--line", BLUE: "--chart"}
"""Colours that a page has its own of, light and dark."""
_DPI = 150
_LETTERS_PER_INCH = 14
_PADS = {"w_pad": 0.1, "h_pad": 0.1, "wspace": 0.03, "hspace": 0.03}


def new_figure(width: float, height: float, facecolor: str = "white") -> Figure:
    """An empty figure of so many inches, laid out so that nothing overlaps."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor=facecolor)
    figure.set_layout_engine("constrained", **_PADS)
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes, title: str, x: str, y: str) -> None:
    """The light look of a plot: names on its axes, a faint grid, no box."""
    axes.set_title(title, fontsize=12, color=INK, loc="left", pad=10, parse_math=False)
    axes.set_xlabel(x, fontsize=10, color=INK)
    axes.set_ylabel(y, fontsize=10, color=INK)
    axes.tick_params(labelsize=9, colors=FAINT, length=0)
    axes.grid(True, color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(FAINT)


def foot(figure: Figure, text: str, key: Sequence[tuple[str, str]] = ()) -> float:
    """Footer of a figure: a colour legend, a note, the intended use.

    Args:
        figure: figure with the panels to fit.
        text: the note; broken into lines where it is long.
        key: (name, colour) pairs.

    Returns:
        the height of the footer in inches.
    """
    from matplotlib.patches import Patch

    width, height = figure.get_size_inches()
    note = " · ".join(part for part in (text, RESEARCH_USE_ONLY) if part)
    lines = textwrap.wrap(note, int(width * _LETTERS_PER_INCH))
    note_room = 0.12 + 0.15 * len(lines)
    figure.text(
        0.5, 0.06 / height, "\n".join(lines), ha="center", fontsize=8, color=FAINT, parse_math=False
    )
    if key:
        figure.legend(
            handles=[Patch(facecolor=colour, label=name) for name, colour in key],
            loc="lower center",
            bbox_to_anchor=(0.5, note_room / height),
            ncols=len(key),
            frameon=False,
            fontsize=10,
            labelcolor=INK,
        )
    room = note_room + (0.32 if key else 0.0)
    share = room / height
    figure.set_layout_engine("constrained", rect=(0.0, share, 1.0, 1.0 - share), **_PADS)
    return room


def fix_margins(figure: Figure, rows: int, columns: int, foot_height: float) -> None:
    """Margins and gaps in inches that suit plots with one title and named axes.

    Computing them from the texts takes as long as drawing, and is done twice for every file.

    Args:
        figure: with a grid of equal plots, in so many rows and columns.
        foot_height: of its footer, in inches.
    """
    figure.set_layout_engine(None)
    width, height = figure.get_size_inches()
    left, right, top, bottom, between = 0.65, 0.15, 0.45, 0.55 + foot_height, 1.05
    panel_width = (width - left - right - between * (columns - 1)) / columns
    panel_height = (height - top - bottom - between * (rows - 1)) / rows
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=bottom / height,
        wspace=between / panel_width,
        hspace=between / panel_height,
    )


def _fix_layout(figure: Figure) -> None:
    """Compute the layout once; otherwise it is computed twice for every file."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine(None)


def save(figure: Figure, stem: Path, formats: Sequence[str] = ("png",)) -> list[Path]:
    """Write ``stem.<format>`` for each format atomically, with reproducible bytes."""
    import matplotlib as mpl

    _fix_layout(figure)
    written = []
    for name in formats:
        final = stem.with_name(f"{stem.name}.{name}")
        dated = {"Date": None} if name == "svg" else {"Software": None}
        with atomic_path(final) as temporary, mpl.rc_context({"svg.hashsalt": stem.name}):
            figure.savefig(temporary, dpi=_DPI, metadata=dated, facecolor=figure.get_facecolor())
        written.append(final)
    return written


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """The figure as an SVG element for a page: its text is text, its greys follow the page's.

    Args:
        figure: with no more in it than our own words and numbers; names of others are escaped by
            matplotlib.
        name: unlike that of any other figure on the page, for it makes the ids in it unique.
        label: description for those who can't see it.
    """
    import matplotlib as mpl

    _fix_layout(figure)
    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    svg = out.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", svg)
    for colour, variable in _PAGE_COLOURS.items():
        svg = re.sub(colour, f"var({variable})", svg, flags=re.IGNORECASE)
    opened = re.sub(r' (width|height)="[\d.]+pt"', "", svg[: svg.index(">")])
    return f'{opened} role="img" aria-label="{escape(label)}"{svg[svg.index(">") :]}'
