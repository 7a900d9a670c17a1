"""Label table of a BIDS segmentation: ``*_dseg.tsv``.

It is in the folder of the mask or, by the inheritance principle of BIDS, in a parent folder in the
same data set, with a name whose parts are all in the mask's name (``dseg.tsv``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gliomask.datasets.folders import entries, stem
from gliomask.errors import CaseError, FormatError
from gliomask.formats.table import read_table

_SUFFIX = "dseg"


def table_of_labels(mask: Path, tree: Path) -> Path | None:
    """Find the table of a segmentation: the nearest and most specific one, or None.

    Args:
        mask: the segmentation.
        tree: its data set or derivative.

    Raises:
        CaseError: two tables in one folder are equally specific.
    """
    parts = set(stem(mask.name).split("_"))
    for folder in mask.parents:
        fitting: dict[int, list[Path]] = {}
        for path in entries(folder):
            named = set(path.stem.split("_"))
            if path.suffix == ".tsv" and _SUFFIX in named and named <= parts:
                fitting.setdefault(len(named), []).append(path)
        if fitting:
            special = fitting[max(fitting)]
            if len(special) > 1:
                names = ", ".join(path.name for path in special)
                raise CaseError(f"several label tables: {names}", path=folder)
            return special[0]
        if folder == tree:
            break
    return None


def read_bids_label_names(table: Path) -> Mapping[int, str]:
    """Number -> name.

    Raises:
        FormatError: no table, a column ``index`` or ``name`` that is missing, an index that is not
            an integer or occurs twice.
    """
    rows = read_table(table)
    rows.need("index", "name")
    names: dict[int, str] = {}
    for row, cells in rows.rows:
        text = cells.get("index", "")
        if not text.isdecimal() or int(text) in names:
            raise FormatError(
                f"row {row}: not the number of one label",
                path=table,
                field="index",
                found=text,
                allowed="a whole number, once",
            )
        names[int(text)] = cells.get("name", "")
    return names
