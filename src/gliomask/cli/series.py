"""The option that chooses DICOM series by hand, which ``inspect`` and ``predict`` share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from gliomask.errors import ConfigError

SeriesOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SEQUENCE=SERIES",
        help="The DICOM series for a sequence, by number, UID or description; repeatable.",
    ),
]


def pairs(texts: Iterable[str] | None) -> dict[str, str]:
    """Texts like ``flair=7`` as sequence -> series.

    Raises:
        ConfigError: a text that is none of that kind; a sequence given twice.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        sequence, _, wanted = (part.strip() for part in text.partition("="))
        if not sequence or not wanted:
            allowed = "SEQUENCE=SERIES, e.g. flair=7"
            raise ConfigError("not understood", field="--series", found=text, allowed=allowed)
        if sequence in found:
            raise ConfigError(f"{sequence} is given twice", field="--series", found=text)
        found[sequence] = wanted
    return found
