"""Data sets described by a ``dataset.json``: nnU-Net (versions 1 and 2), Medical Decathlon.

    imagesTr/BRATS_001_0000.nii.gz ... BRATS_001_0003.nii.gz   nnU-Net: a file for each channel
    imagesTr/BRATS_001.nii.gz                                  Decathlon: one file, 4-D
    labelsTr/BRATS_001.nii.gz
    dataset.json                                               what channels and labels are

Channels and labels are identified by their names in the description. ``imagesTs`` has no masks and
is not used. If there is an ignore label, the slices with tumour count as annotated.

Format: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md
"""

from __future__ import annotations

import re
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import patient_of, safe_name, tcga_site
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.description import FILE_NAME, Description, read_description
from gliomask.datasets.folders import examinations, one_each
from gliomask.datasets.layout import Cases, Layout, LayoutVerdict, Problem
from gliomask.datasets.questions import IN_A_TABLE
from gliomask.errors import CaseError, FormatError, InputError, LayoutError
from gliomask.formats.volumes import SUFFIXES

_CHANNEL_FILE = re.compile(r"(?P<case>.+)_(?P<kind>\d{4})")
_WHOLE_FILE = re.compile(r"(?P<case>.+?)(?P<kind>)")


def looks_like(root: Path) -> LayoutVerdict:
    """Check for a folder with a ``dataset.json`` and a folder ``imagesTr``."""
    if not (root / FILE_NAME).is_file() or not (root / "imagesTr").is_dir():
        return LayoutVerdict(False, f"no {FILE_NAME} next to imagesTr and labelsTr")
    left_out = "; imagesTs is left out" if (root / "imagesTs").is_dir() else ""
    return LayoutVerdict(True, f"{FILE_NAME} defines channels and labels{left_out}")


def cases(root: Path) -> Cases:
    """Each name in ``imagesTr`` is a case, without channels that are not a known sequence.

    Raises:
        FormatError: the ``dataset.json`` is invalid; the key is named.
    """
    description = read_description(root / FILE_NAME)
    _check_ending(description, root / FILE_NAME)
    if not description.channels:
        return (), (Problem(FILE_NAME, _unused(description)),)
    images = _images(root / "imagesTr", description)
    masks = examinations(root / "labelsTr", _WHOLE_FILE) if (root / "labelsTr").is_dir() else {}
    cases_found, problems = [], []
    for name in sorted(images.keys() | masks.keys()):
        try:
            cases_found.append(_case(name, images.get(name), masks.get(name, {}), description))
        except InputError as problem:
            problems.append(Problem(name, str(problem)))
    return tuple(cases_found), tuple(problems)


def prediction_cases(folder: Path, description: Description) -> Cases:
    """Cases of a folder of images without masks (``imagesTs``), as for prediction with nnU-Net.

    The id of a case is the name of its files, which is also the name of its mask.

    Raises:
        FormatError: an unsupported file format.
        LayoutError: the folder does not exist.
    """
    if not folder.is_dir():
        raise LayoutError("the folder does not exist", path=folder)
    _check_ending(description, folder)
    cases_found, problems = [], []
    for name, images in sorted(_images(folder, description).items()):
        try:
            if name != safe_name(name):
                raise CaseError("a name that is not a portable file name")
            cases_found.append(_case(name, images, {}, description))
        except InputError as problem:
            problems.append(Problem(name, str(problem)))
    return tuple(cases_found), tuple(problems)


LAYOUT = Layout("nnunet", looks_like, cases, by_folder=False, described=True)


def _check_ending(description: Description, path: Path) -> None:
    if description.ending not in SUFFIXES:
        raise FormatError(
            "files of this format can't be read",
            path=path,
            field="file_ending",
            found=description.ending,
            allowed=", ".join(SUFFIXES),
        )


def _unused(description: Description) -> str:
    names, known = ", ".join(description.unknown), ", ".join(SEQUENCES)
    return f"channels not used: {names} (a name must identify one of {known})"


def _images(folder: Path, description: Description) -> dict[str, dict[str, list[Path]]]:
    """Case -> channel number -> files; the number is empty for a file with all channels."""
    numbers = {f"{n:04d}" for n in range(len(description.names))}
    per_channel = examinations(folder, _CHANNEL_FILE)
    if per_channel and all(kinds.keys() <= numbers for kinds in per_channel.values()):
        return per_channel
    return examinations(folder, _WHOLE_FILE)


def _case(
    name: str,
    images: dict[str, list[Path]] | None,
    masks: dict[str, list[Path]],
    description: Description,
) -> Case:
    if images is None:
        raise CaseError("a mask but no images", hint=IN_A_TABLE)
    mask = one_each(masks).get("")
    notes = (_unused(description),) if description.unknown else ()
    return Case(
        id=safe_name(name),
        patient=patient_of(name),
        images=_channels(one_each(images), description),
        label=ImageFile((mask,)) if mask else None,
        scheme=description.scheme,
        label_names=description.labels if description.scheme is None else (),
        sparse=description.scheme is not None and description.scheme.ignored is not None,
        source=LAYOUT.name,
        site=tcga_site(name),
        licence=description.licence,
        notes=notes,
    )


def _channels(files: dict[str, Path], description: Description) -> dict[str, ImageFile]:
    """Sequence -> its file, or its volume in the file of all channels."""
    if "" in files:
        single = len(description.names) == 1
        whole = (files[""],)
        return {s: ImageFile(whole, None if single else n) for s, n in description.channels.items()}
    missing = [f"{n:04d}" for n in range(len(description.names)) if f"{n:04d}" not in files]
    if missing:
        raise CaseError(f"channel files are missing: {', '.join(missing)}")
    return {s: ImageFile((files[f"{n:04d}"],)) for s, n in description.channels.items()}
