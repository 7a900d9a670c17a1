"""Colours of figures and pages, and their meanings.

Those of regions are in ``core.regions``, and are not used for anything else. The others are Okabe
and Ito's (2008), which people with any kind of colour vision can distinguish, and a red that is
only used together with blue.
"""

from __future__ import annotations

from typing import NamedTuple

from gliomask.core.regions import REGIONS

BLUE, RED, GREEN, VERMILION = "#0072B2", "#C8102E", "#009E73", "#D55E00"
INK, FAINT, LINE = "#222222", "#666666", "#E3E3E3"


class _Agreement(NamedTuple):
    """Colours of where two masks agree and differ."""

    both: str
    only_predicted: str
    only_reference: str


AGREEMENT = _Agreement(GREEN, VERMILION, BLUE)
LESIONS = (GREEN, INK, FAINT, VERMILION)
"""Colour of single lesions, next to that of their region."""


def region_styles() -> str:
    """The CSS that gives pages the colours of regions and of agreement."""
    names = {name.replace("_", "-"): colour for name, colour in AGREEMENT._asdict().items()}
    swatches = [f".swatch.{name}{{background:{region.colour}}}" for name, region in REGIONS.items()]
    keys = [f".key .{name}{{--swatch:{colour}}}" for name, colour in names.items()]
    return "\n".join((*swatches, *keys))
