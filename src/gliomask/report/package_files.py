"""Files of this package: styles, scripts, the viewer, the font."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Final

FONT: Final = "vendor/dejavu/DejaVuSans.ttf.gz"
NIIVUE: Final = "vendor/niivue/niivue.umd.js.gz"
NIIVUE_VERSION: Final = "0.69.0"
NIIVUE_SHA256: Final = "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af"
"""Of the script, decompressed."""


def stored_bytes(name: str) -> bytes:
    """A file of this package as it is stored, e.g. ``vendor/niivue/LICENSE``."""
    return files("gliomask.report").joinpath(name).read_bytes()


def package_bytes(name: str) -> bytes:
    """A file of this package, decompressed if its name ends in ``.gz``."""
    content = stored_bytes(name)
    return gzip.decompress(content) if name.endswith(".gz") else content


@cache
def package_text(name: str) -> str:
    """A text file of this package, e.g. ``templates/base.css``, as ``package_bytes`` reads it."""
    return package_bytes(name).decode("utf-8")
