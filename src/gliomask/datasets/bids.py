"""BIDS: the Brain Imaging Data Structure, raw and derived.

    sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz
                      sub-01_ses-1_ce-gadolinium_T1w.nii.gz
                      sub-01_ses-1_{T2w,FLAIR}.nii.gz
    derivatives/<name>/sub-01/ses-1/anat/sub-01_ses-1_label-tumor_mask.nii.gz
                                         sub-01_ses-1_dseg.{nii.gz,tsv}

A session is a case, and its subject the patient. Masks are in a derivative or in the folder of the
images; if the derivative contains images in the space of the mask (``space-``), these are used.
Masks of other structures by ``label-`` or ``desc-`` (``desc-brain_mask``), and masks written by
gliomask, are not used. The table of a ``_dseg`` (``index``, ``name``) defines its numbers.

Format: https://bids-specification.readthedocs.io
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import bids_case, patient_of
from gliomask.core.label_scheme import BINARY
from gliomask.datasets.bids_labels import read_bids_label_names, table_of_labels
from gliomask.datasets.folders import folders, volumes, within
from gliomask.datasets.layout import Cases, Layout, LayoutVerdict, Problem, first_with
from gliomask.datasets.mask_labels.names import scheme_of_names
from gliomask.datasets.name_reading import read_name
from gliomask.datasets.names import words_of
from gliomask.datasets.questions import IN_A_TABLE, TABLE, ask_file, ask_files
from gliomask.errors import CaseError, InputError

OURS = "gliomask"
"""Name of the derivative that gliomask writes, which is not a reference."""
_NAME = re.compile(
    r"sub-[A-Za-z0-9]+(?P<entities>(_[a-z]+-[A-Za-z0-9+.]+)*)_(?P<suffix>T1w|T2w|FLAIR|mask|dseg)"
)
_MASKS = ("mask", "dseg")
_TUMOUR = re.compile(r"tumou?r|lesion|glioma|wholetumou?r|wt|neoplasm|abnormality", re.IGNORECASE)


@dataclass(frozen=True)
class _File:
    """A file with a BIDS name.

    Attributes:
        path: its path.
        tree: its data set or derivative.
        case: subject and session.
        entities: the other parts of its name.
        suffix: the last part.
    """

    path: Path
    tree: Path
    case: str
    entities: Mapping[str, str]
    suffix: str

    @property
    def space(self) -> tuple[Path, str]:
        """Entities shared by all files on the same grid."""
        return self.tree, self.entities.get("space", "")

    @property
    def about(self) -> str:
        """Description in the sidecar files of the data set; empty if there is none."""
        return " ".join(self.entities[key] for key in ("label", "desc") if key in self.entities)


def looks_like(root: Path) -> LayoutVerdict:
    """Folders ``sub-<label>`` with images that have BIDS names."""
    subject = first_with(_subjects(root), lambda place: _images(_in_subject(root, place)))
    if subject is None:
        return LayoutVerdict(
            False, "no sub-<label>/[ses-<label>/]anat with sub-<label>_..._T1w.nii.gz"
        )
    return LayoutVerdict(True, f"{subject.name} contains images with BIDS names")


def in_our_derivative(path: Path, root: Path) -> bool:
    """Return True for a file of a derivative that gliomask wrote, anywhere below ``root``."""
    return ("derivatives", OURS) in itertools.pairwise(path.relative_to(root).parts)


def cases(root: Path) -> Cases:
    """Each session of a subject is a case, or each subject without sessions."""
    problems: list[Problem] = []
    of_case: dict[str, list[_File]] = {}
    for tree in _trees(root):
        for subject in _subjects(tree):
            for file in _in_subject(tree, subject):
                if patient_of(file.case) == subject.name:
                    of_case.setdefault(file.case, []).append(file)
                else:
                    what = f"is in the folder {subject.name}: its subject is ambiguous"
                    problems.append(Problem(file.path.name, what))
    cases_found: list[Case] = []
    for name, files in of_case.items():
        try:
            if _images(files):  # otherwise it is derived from files that are not here
                cases_found.append(_case(name, files))
        except InputError as problem:
            problems.append(Problem(name, str(problem)))
    return tuple(cases_found), tuple(problems)


LAYOUT = Layout("bids", looks_like, cases, by_folder=False)


def _trees(root: Path) -> list[Path]:
    derived = root / "derivatives"
    return [root, *([derived, *folders(derived)] if derived.is_dir() else [])]


def _subjects(tree: Path) -> list[Path]:
    return [folder for folder in folders(tree) if re.fullmatch(r"sub-[A-Za-z0-9]+", folder.name)]


def _in_subject(tree: Path, subject: Path) -> list[_File]:
    return [
        _File(path, tree, bids_case(name) or "", _entities(parts["entities"]), parts["suffix"])
        for place in within(subject, 2)
        for name, path in volumes(place)
        if (parts := _NAME.fullmatch(name))
    ]


def _entities(text: str) -> dict[str, str]:
    pairs = (part.split("-", 1) for part in text.split("_") if part)
    return {key: value for key, value in pairs if key != "ses"}


def _case(name: str, files: Sequence[_File]) -> Case:
    mask = _mask(files)
    chosen = _on_one_grid(_images(files), mask)
    case = Case(
        id=name,
        patient=patient_of(name),
        images=_by_sequence(chosen),
        label=ImageFile((mask.path,)) if mask else None,
        source=LAYOUT.name,
    )
    if mask is None:
        return case
    return replace(case, scheme=BINARY) if mask.suffix == "mask" else _with_labels(case, mask)


def _with_labels(case: Case, mask: _File) -> Case:
    """Add the label names from the table next to a segmentation."""
    table = table_of_labels(mask.path, mask.tree)
    if table is None:
        return case
    names = read_bids_label_names(table)
    scheme = scheme_of_names(names, f"as {table.name} names them")
    unclear = tuple(names.values()) if scheme is None else ()
    return replace(case, scheme=scheme, label_names=unclear)


def _images(files: Iterable[_File]) -> list[_File]:
    return [file for file in files if file.suffix not in _MASKS]


def _mask(files: Iterable[_File]) -> _File | None:
    """Tumour mask: one with a tumour label, else one without another label."""
    masks = [f for f in files if f.suffix in _MASKS and f.tree.name != OURS]
    saying = [file for file in masks if any(map(_TUMOUR.search, words_of(file.about)))]
    usable = saying or [file for file in masks if not file.about]
    if len(usable) > 1:
        names = ", ".join(str(file.path) for file in usable)
        raise CaseError(f"several masks: {names}", hint=IN_A_TABLE)
    return usable[0] if usable else None


def _on_one_grid(images: Sequence[_File], mask: _File | None) -> list[_File]:
    """Images in the space of the mask, else the images of the data set."""
    if mask is not None:
        beside = [file for file in images if file.space == mask.space]
        if beside:
            return beside
    raw = [file for file in images if file.space == (images[0].tree, "")]
    spaces = {file.space for file in images}
    if not raw and len(spaces) > 1:
        spaces_text = ", ".join(sorted(f"{tree.name} {space}" for tree, space in spaces))
        raise CaseError(f"images in several spaces: {spaces_text}", hint=IN_A_TABLE)
    return raw or list(images)


def _by_sequence(images: Iterable[_File]) -> dict[str, ImageFile]:
    by_sequence: dict[str, Path] = {}
    for file in images:
        sequence = _sequence(file)
        if sequence in by_sequence:
            names = f"{by_sequence[sequence].name} and {file.path.name}"
            what = f"two images for {sequence}: {names}"
            raise CaseError(
                what,
                path=file.path.parent,
                hint=ask_files((by_sequence[sequence], file.path), sequence) + TABLE,
            )
        by_sequence[sequence] = file.path
    return {sequence: ImageFile((path,)) for sequence, path in by_sequence.items()}


def _sequence(file: _File) -> str:
    if file.suffix != "T1w":
        return {"T2w": "t2", "FLAIR": "flair"}[file.suffix]
    description = " ".join(file.entities.get(key, "") for key in ("acq", "desc"))
    agent = f"ce-{file.entities['ce']}" if "ce" in file.entities else ""
    reading = read_name(f"{description} {agent}_T1w")
    if reading.contrast_doubt:
        what = f"before or after contrast? {reading.contrast_doubt}"
        raise CaseError(what, path=file.path, hint=ask_file(file.path, ("t1", "t1ce")) + TABLE)
    return "t1ce" if reading.contrast else "t1"
