"""What ``predict`` says of a mask that it wrote, in the JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gliomask.core.labels import ENHANCING, NECROSIS, OEDEMA, REGIONS, TUMOUR, LabelScheme
from gliomask.datasets.folders import stem
from gliomask.errors import FormatError
from gliomask.formats.content import read_text

MASK = "_mask"
"""How the name of such a mask ends, before its suffix."""
_WHOLE = LabelScheme("whole tumour", ((1, TUMOUR),))
_PARTS = LabelScheme("parts of the tumour", ((1, NECROSIS), (2, OEDEMA), (3, ENHANCING)))


def figures_of(mask: Path) -> Mapping[str, Any] | None:
    """The JSON beside a mask, None if there is none or it is some other tool's.

    Raises:
        FormatError: it is damaged.
    """
    name = stem(mask.name)
    figures = mask.with_name(f"{name.removesuffix(MASK)}.json")
    if not name.endswith(MASK) or not figures.is_file():
        return None
    try:
        keys = json.loads(read_text(figures))
    except ValueError as problem:
        raise FormatError(f"not JSON: {problem}", path=figures) from None
    return keys if isinstance(keys, dict) and isinstance(keys.get("voxels"), dict) else None


def scheme_written(mask: Path) -> LabelScheme | None:
    """The scheme of a mask that ``predict`` wrote, None for any other (see ``labels_of_regions``).

    Raises:
        FormatError: the JSON beside it is damaged.
    """
    keys = figures_of(mask)
    if keys is None:
        return None
    regions = tuple(region for region in REGIONS if region in keys["voxels"])
    return _WHOLE if regions == ("whole",) else _PARTS
