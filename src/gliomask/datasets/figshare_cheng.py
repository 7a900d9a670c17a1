"""The figshare set of Cheng et al.: 3,064 slices of 233 patients with three kinds of tumour.

    brainTumorDataPublic_1-766/1.mat ... 3064.mat            as published (``formats.matlab``)
    images/1.png ... 3064.png, masks/1.png ... 3064.png copies as pictures

Post-contrast T1, whole heads, 512 x 512 or 256 x 256; axial, coronal and sagittal slices, 7 mm
apart. The masks outline the tumour without oedema, so their only region is the tumour core. Every
slice is a separate case, because the slices of a patient are in three planes. The pictures lack
patient ids: a split by patient needs a table of patients.

Source: Cheng et al. 2015, https://doi.org/10.1371/journal.pone.0140381 and
https://doi.org/10.6084/m9.figshare.1512427
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import safe_name
from gliomask.core.label_scheme import CORE_ONLY
from gliomask.datasets.folders import entries, folders, pictures, stem, within
from gliomask.datasets.layout import Cases, Layout, LayoutVerdict, Problem
from gliomask.errors import InputError, LayoutError
from gliomask.formats.matlab import holds_slice, is_matlab, read_slice_record

LICENCE = "CC BY 4.0"
SLICES = 3064
"""Number of published slices; pictures are this set only if all exist."""
KINDS = {1: "meningioma", 2: "glioma", 3: "pituitary"}
"""Label of a slice -> tumour type."""
_ASKED = 20
"""Number of files that are opened to recognise a folder of this set."""
_IMAGES, _MASKS = ("images", "image"), ("masks", "mask")
_PICTURES = "pictures without the patients' names: state them in a table of patients"


def looks_like(root: Path) -> LayoutVerdict:
    """Check for folders of such MATLAB files, or all 3,064 pictures with their masks."""
    for place in within(root, 1):
        if any(holds_slice(path) for path in itertools.islice(_files(place), _ASKED)):
            return LayoutVerdict(True, f"{place.name} contains <n>.mat with cjdata")
    if pairs := _pairs(root):
        return LayoutVerdict(True, f"images and masks 1 to {len(pairs)}; {_PICTURES}")
    return LayoutVerdict(False, f"no <n>.mat with cjdata, no images and masks 1 to {SLICES}")


def cases(root: Path) -> Cases:
    """Each slice is a case."""
    cases_found, problems = [], []
    for path in (path for place in within(root, 1) for path in _files(place)):
        try:
            cases_found.append(_of_matlab(path))
        except InputError as problem:
            problems.append(Problem(path.stem, str(problem)))
    if not cases_found and not problems:
        cases_found = [_of_pictures(name, *files) for name, files in _pairs(root).items()]
    return tuple(cases_found), tuple(problems)


LAYOUT = Layout("figshare_cheng", looks_like, cases, by_folder=False)


def _files(place: Path) -> Iterable[Path]:
    try:
        return (path for path in entries(place) if is_matlab(path) and path.stem.isdecimal())
    except LayoutError:
        return ()


def _of_matlab(path: Path) -> Case:
    record = read_slice_record(path)
    kind = KINDS[record.label]
    return Case(
        id=safe_name(f"{kind}-{int(path.stem):04d}"),
        patient=safe_name(f"Cheng-{record.patient}"),
        images={"t1ce": ImageFile((path,))},
        label=ImageFile((path,)),
        scheme=CORE_ONLY,
        source=LAYOUT.name,
        licence=LICENCE,
        notes=(kind,),
    )


def _pairs(root: Path) -> dict[str, tuple[Path, Path]]:
    """Number -> image and mask, if all slices of the set exist; otherwise empty."""
    below = {folder.name.lower(): folder for folder in folders(root)}
    images = next((_numbered(below[name]) for name in _IMAGES if name in below), {})
    masks = next((_numbered(below[name]) for name in _MASKS if name in below), {})
    numbers = [str(number) for number in range(1, SLICES + 1)]
    if images.keys() != set(numbers) or masks.keys() != images.keys():
        return {}
    return {number: (images[number], masks[number]) for number in numbers}


def _numbered(folder: Path) -> dict[str, Path]:
    return {stem(path.name): path for path in pictures(folder)}


def _of_pictures(number: str, image: Path, mask: Path) -> Case:
    name = f"slice-{int(number):04d}"
    return Case(
        id=name,
        patient=f"Cheng-{name}",
        patient_known=False,
        images={"t1ce": ImageFile((image,))},
        label=ImageFile((mask,)),
        scheme=CORE_ONLY,
        source=LAYOUT.name,
        licence=LICENCE,
        notes=("the patient is unknown",),
    )
