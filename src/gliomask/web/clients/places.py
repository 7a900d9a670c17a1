"""The addresses below which existing clients are served."""

from __future__ import annotations

import re
from typing import Final

BY_HEADER: Final = "/monai"
"""For clients that send their token in a header, and if no token is required."""
BY_ADDRESS: Final = "/k"
"""For clients that send no header: a token follows, as a part of the address."""
PREFIXES: Final = (BY_HEADER, f"{BY_ADDRESS}/{{key}}")
_FILES: Final = re.compile(
    rf"({BY_HEADER}|{BY_ADDRESS}/[^/]+)/(session/|infer(/[^/]+)?|datastore/(image|label)?)"
)


def takes_files(path: str) -> bool:
    """Return True for a path with file uploads."""
    return _FILES.fullmatch(path) is not None


def has_token(path: str) -> bool:
    """Return True for a path with a token, for which cookies are ignored."""
    return path.startswith(f"{BY_ADDRESS}/")
