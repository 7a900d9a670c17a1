"""The description of a series in the JSON file that dcm2niix writes next to an image."""

from __future__ import annotations

import json
from pathlib import Path

from gliomask.datasets.folders import stem

_FIELDS = ("SeriesDescription", "ProtocolName")
_LONGEST = 1 << 20
"""Size in bytes of the largest file that is read; those of dcm2niix have a few thousand."""


def series_description(image: Path) -> str:
    """Description of the series, or else its protocol; empty if there is none.

    By default dcm2niix names files by the protocol, which may be that of the whole examination.
    """
    path = image.with_name(f"{stem(image.name)}.json")
    try:
        if path.stat().st_size > _LONGEST:
            return ""
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    if not isinstance(content, dict):
        return ""
    texts = (content.get(field) for field in _FIELDS)
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")
