"""Names of the MR sequences in sentences and titles."""

from __future__ import annotations

from types import MappingProxyType

SEQUENCE_TITLES = MappingProxyType(
    {"t1": "T1", "t1ce": "post-contrast T1", "t2": "T2", "flair": "FLAIR"}
)
"""Sequence -> name; the sequences are those of ``core.volume.SEQUENCES``."""
