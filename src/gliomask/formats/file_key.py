"""Keys of files, for caching of results."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from gliomask.formats.volumes import files_of


def file_key(paths: Iterable[Path]) -> str:
    """Key that changes with the files: their names, sizes and modification times.

    The voxels of a header that stands alone (``.mhd``, ``.nhdr``, ``.hdr``) count too.
    """
    every = dict.fromkeys(piece for path in paths for piece in files_of(path))
    stats = [(str(path.absolute()), path.stat()) for path in every]
    return json.dumps([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])
