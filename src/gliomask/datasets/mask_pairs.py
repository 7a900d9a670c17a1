"""Pairing of references and predictions, by the case in their names or by a table.

    reference,prediction,case,patient
    p1/seg.nii.gz,network_17.nii.gz,p1,p1

In a table the paths are relative to the two folders of the command; without ``case`` and
``patient``, those of the reference are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gliomask.core.identity import safe_name, stated_patient
from gliomask.datasets.case_names import case_id, has_case_name
from gliomask.datasets.mask_files import MaskFile, find_masks
from gliomask.errors import CaseError, Failure, InputError
from gliomask.formats.table import path_of_cell, read_table

Pair = tuple[MaskFile, MaskFile]
"""(reference, prediction)."""
_REFERENCE, _PREDICTION = "reference", "prediction"


def find_pairs(
    references: Path, predictions: Path, table: Path | None = None
) -> tuple[tuple[Pair, ...], tuple[Failure, ...]]:
    """Pair masks, and list every mask without a partner with the reason.

    Args:
        references: a mask, a folder of masks, or a data set in any known layout.
        predictions: a mask or a folder of masks.
        table: pairs them, instead of the cases in their names.

    Raises:
        InputError: no masks, two masks of one case, a mask on both sides, or a table without the
            columns.
    """
    drawn, predicted = (
        find_masks(root, unique=table is None) for root in (references, predictions)
    )
    if table is not None:
        pairs, failures = _by_table(table, (references, predictions), (drawn, predicted))
    elif _may_be_a_pair(references, predictions, drawn, predicted):
        pairs, failures = [(drawn[0], predicted[0])], []
    else:
        pairs, failures = _by_case(drawn, predicted)
    _refuse_same_files(pairs)
    return tuple(pairs), (*failures, *_alone(pairs, drawn, predicted))


def _refuse_same_files(pairs: Sequence[Pair]) -> None:
    """Raise InputError for a mask that would be compared with itself."""
    for reference, prediction in pairs:
        first, second = reference.file.paths[0], prediction.file.paths[0]
        if first.resolve() == second.resolve():
            hint = "give references and predictions in two folders, or pair the files in a table"
            raise InputError("the same file is reference and prediction", path=second, hint=hint)


def _may_be_a_pair(
    references: Path, predictions: Path, drawn: Sequence[MaskFile], masks: Sequence[MaskFile]
) -> bool:
    """Pair two given files, or two single masks if one has no case in its name."""
    if len(drawn) != 1 or len(masks) != 1:
        return False
    named = references.is_file() and predictions.is_file()
    return named or not (drawn[0].case_in_name and masks[0].case_in_name)


def _by_case(
    references: Sequence[MaskFile], predictions: Sequence[MaskFile]
) -> tuple[list[Pair], list[Failure]]:
    # The case id of a data set may differ from the name of the mask file.
    files = [case_id(mask.file.paths[0].name) for mask in references]
    named = Counter(files)
    names = {
        safe_name(name): mask
        for name, mask in zip(files, references, strict=True)
        if named[name] == 1 and has_case_name(name)
    }
    names |= {mask.case: mask for mask in references}
    paired: dict[str, Pair] = {}
    for mask in predictions:
        reference = names.get(mask.case)
        if reference is not None and reference.case not in paired:
            paired[reference.case] = reference, mask
    return list(paired.values()), []


def _by_table(
    table: Path, roots: tuple[Path, Path], masks: tuple[Sequence[MaskFile], Sequence[MaskFile]]
) -> tuple[list[Pair], list[Failure]]:
    rows = read_table(table)
    rows.need(_REFERENCE, _PREDICTION)
    known = [
        _by_place(masks_of_root, root) for masks_of_root, root in zip(masks, roots, strict=True)
    ]
    pairs: dict[str, Pair] = {}
    failures: list[Failure] = []
    for number, row in rows.rows:
        name = row.get("case") or row.get(_REFERENCE) or f"row {number}"
        try:
            reference = _look_up(row, _REFERENCE, known[0], roots[0])
            prediction = _look_up(row, _PREDICTION, known[1], roots[1])
            case = safe_name(row["case"]) if row.get("case") else reference.case
            if case in pairs:
                raise CaseError("an earlier row has this case", field="case", found=case)
        except InputError as problem:
            failures.append((name, f"{table}, row {number}: {problem}"))
            continue
        patient = stated_patient(row["patient"]) if row.get("patient") else reference.patient
        pairs[case] = replace(reference, case=case, patient=patient), prediction
    return list(pairs.values()), failures


def _by_place(masks: Sequence[MaskFile], root: Path) -> dict[Path, MaskFile]:
    """Index by file, and stacks of pictures also by their folder."""
    places: dict[Path, MaskFile] = {}
    for mask in masks:
        first = mask.file.paths[0]
        places[(first if len(mask.file.paths) == 1 else first.parent).resolve()] = mask
    if len(masks) == 1:
        places[root.resolve()] = masks[0]
    return places


def _look_up(
    row: Mapping[str, str], column: str, masks: Mapping[Path, MaskFile], root: Path
) -> MaskFile:
    cell = row.get(column, "")
    mask = masks.get(path_of_cell(cell, root).resolve()) if cell else None
    if mask is None:
        raise CaseError(f"no such mask below {root}", field=column, found=cell)
    return mask


def _alone(
    pairs: Sequence[Pair], references: Sequence[MaskFile], predictions: Sequence[MaskFile]
) -> list[Failure]:
    paired = {mask.file for pair in pairs for mask in pair}
    without = [(m, "no reference") for m in predictions if m.file not in paired]
    without += [(m, "no prediction") for m in references if m.file not in paired]
    return [(mask.case, f"{what} for {mask.file}") for mask, what in without]
