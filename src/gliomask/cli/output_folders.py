"""Default output folders: in the working directory, named after the input."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_ENDINGS = re.compile(
    r"\.(nii|nii\.gz|hdr|img|nrrd|nhdr|mha|mhd|mgh|mgz|zip|dcm|tiff?|png|jpe?g|store)$",
    flags=re.IGNORECASE,
)


def place_for(sources: Sequence[Path], what: str) -> Path:
    """``<source>-<what>`` for one source, ``<what>`` for several or none."""
    if len(sources) != 1:
        return Path(what)
    name = _ENDINGS.sub("", sources[0].absolute().name)
    return Path(f"{name}-{what}" if name else what)
