"""Files as what a result depends on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


def file_key(paths: Iterable[Path]) -> str:
    """What tells whether files have changed: their names, sizes and times of change."""
    stats = [(str(path.absolute()), path.stat()) for path in paths]
    return json.dumps([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])
