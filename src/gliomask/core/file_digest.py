"""Digest of the content of a case's file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gliomask.errors import CaseError


def file_digest(path: Path) -> bytes:
    """SHA-256 of the content of a file of a case, 32 bytes.

    Raises:
        CaseError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as problem:
        raise CaseError(f"can't be read: {problem.strerror}", path=path) from None
