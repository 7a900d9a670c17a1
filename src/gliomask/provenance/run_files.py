"""Names of the files of a run folder."""

from __future__ import annotations

from typing import Final

PROVENANCE: Final = "provenance.json"
"""How the run was made: command, options, software, patients, sessions."""
