"""Escaping of untrusted text for Markdown and its HTML.

Names of patients, data sets and models come from outside. Within a table a pipe or a line break
would forge cells, and most readers of Markdown let HTML through.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 300
"""Characters that are shown of one text of a record."""

_ENTITIES: Final = {character: f"&#{ord(character)};" for character in "&<>\"'|\\`"}
"""Entities where a backslash is read differently by different readers within tables."""
_ESCAPED: Final = {character: f"\\{character}" for character in "*_[]{}~$#@^!"}
_TABLE: Final = str.maketrans({**_ENTITIES, **_ESCAPED})
_WWW: Final = re.compile(r"(www)\.", re.IGNORECASE)
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that are not shown or that reorder what is shown."""


def one_line(text: str) -> str:
    """A text on one line without unseen characters, at most ``LONGEST`` characters of it."""
    printable = "".join(
        " " if unicodedata.category(c) in _UNSEEN else c for c in text[: 4 * LONGEST]
    )
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def escape_markdown(text: str) -> str:
    """A text that reads the same in a cell of a table, and in which nothing is markup.

    Line breaks and control characters become spaces. Addresses that begin with a scheme or ``www.``
    don't become links.

    Args:
        text: anything; the empty text stays empty.
    """
    printable = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    escaped = " ".join(printable.split()).translate(_TABLE)
    return _WWW.sub(r"\1&#46;", escaped.replace("://", "&#58;//"))
