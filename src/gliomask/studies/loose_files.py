"""Loose image files as cases: sequences and examinations are derived from their names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.counted import listed
from gliomask.core.identity import patient_of, safe_name, tcga_site
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.case_names import folder_case
from gliomask.datasets.find import is_synthetic
from gliomask.datasets.folders import natural, stem
from gliomask.datasets.name_reading import (
    NameReading,
    read_name,
    shared_words,
)
from gliomask.datasets.names import is_mask
from gliomask.datasets.questions import ask_file, ask_files
from gliomask.errors import CaseError
from gliomask.formats.pictures import is_colour, read_stack
from gliomask.studies.name_groups import (
    NameGroup,
    SequenceFile,
    Twins,
    grouped,
    without_time_point,
    written_by_spm,
)
from gliomask.studies.sidecar import series_description

SOURCE = "study"
HINT = "state the sequence of each file, `predict flair=FILE t1ce=FILE`"
"""Hint for ambiguous names."""
MASKS = "give the images; the command score compares masks"
"""Hint for masks in the place of images."""
_TOLD = 5
_CT1 = re.compile(r"(?<![a-z0-9])ct1(?![a-z0-9])", re.IGNORECASE)
_FL = re.compile(r"(?<![a-z0-9])fla?(?![a-z0-9])", re.IGNORECASE)


def of_volumes(files: Sequence[tuple[str, Path]], folder: Path) -> tuple[Case, ...]:
    """Group NIfTI files into one examination, or several according to their names.

    Files belong to one examination if their names are equal but for the sequence. Several are
    only made of them when each then has the same sequences; otherwise the names are ambiguous.

    Args:
        files: (name without suffix, path).
        folder: names the case if the names of the files contain only the sequence.

    Raises:
        CaseError: no sequence is stated, or two files claim one, or it isn't clear what belongs
            together; the files are named.
    """
    scans = [(name, path) for name, path in files if not is_mask(name)]
    spm = written_by_spm({name for name, _ in scans})
    made = tuple(path.name for name, path in scans if name in spm)
    scans = [(name, path) for name, path in scans if name not in spm]
    scans = by_convention(without_time_point(scans, folder.name))
    shared = shared_words([name for name, _ in scans])
    readings = {path: _reading(name, path, shared) for name, path in scans}
    certain = {reading.sequence for reading in readings.values()}
    stated, unused = [], []
    for name, path in scans:
        reading = readings[path]
        doubtful = bool(reading.unknown) and reading.candidates <= certain
        sequence = None if doubtful else _sequence(reading, path)
        if sequence is None:
            unused.append((path.name, reading))
        else:
            stated.append(SequenceFile(name, sequence, path))
    if not scans:
        what = (
            f"masks by their names, not images: {listed((path.name for _, path in files), _TOLD)}"
        )
        raise CaseError(what, path=folder, hint=MASKS)
    if not stated:
        unused_names = ", ".join(_unused(name, reading) for name, reading in unused)
        what = f"no file name contains a sequence: {unused_names}"
        hint = ask_file(folder / unused[0][0]) if unused else HINT
        raise CaseError(what, path=folder, hint=hint)
    groups = _groups(stated, folder)
    notes = tuple(f"{name} is not used: {_why_not(reading)}" for name, reading in unused)
    notes += tuple(f"{name} is not used: by its prefix SPM made it from another" for name in made)
    return tuple(
        case_of_images(
            {s: ImageFile((p,)) for s, p in group.images.items()},
            group.name,
            folder,
            (*notes, *_notes(group)),
        )
        for group in groups
    )


def _reading(name: str, path: Path, shared: Collection[str]) -> NameReading:
    """Reading of the name of a file, or else of the description next to it."""
    reading = read_name(name, shared)
    if reading.weightings or _shows(reading):
        return reading
    described = series_description(path)
    return read_name(described, identifier=False) if described else reading


def by_convention(files: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Files whose names are clear only together with the others.

    ``CT1`` next to the ``T1`` of the same name, a T2 and a FLAIR is after contrast (HD-GLIO,
    LUMIERE); alone it could be a corrected T1. ``FL`` or ``fla`` next to a T1 and a T2 is the FLAIR
    if no other name states one (CaPTk, BraTS Toolkit); alone it could be a FLASH.
    """
    named = list(files)
    if {"t1", "t2"} <= (known := _sequences(named)) and "flair" not in known:
        named = [
            (name if read_name(name).weightings else _FL.sub("flair", name), path)
            for name, path in named
        ]
    lower = {name.lower() for name, _ in named}
    if {"t1", "t2", "flair"} <= (known := _sequences(named)) and "t1ce" not in known:
        named = [
            (_CT1.sub("t1ce", name), path)
            if _CT1.sub("t1", name.lower()) in lower - {name.lower()}
            else (name, path)
            for name, path in named
        ]
    return named


def _sequences(files: Sequence[tuple[str, Path]]) -> set[str | None]:
    return {read_name(name).sequence for name, _ in files}


def _groups(files: Sequence[SequenceFile], folder: Path) -> tuple[NameGroup, ...]:
    """The examinations of files.

    Raises:
        CaseError: two files claim a sequence, or it isn't clear what belongs together.
    """
    groups = grouped(files)
    if isinstance(groups, Twins):
        names = " and ".join(path.name for path in groups.paths)
        hint = ask_files(groups.paths, groups.sequence)
        raise CaseError(f"two files for {groups.sequence}: {names}", path=folder, hint=hint)
    if groups is None:
        names = ", ".join(file.path.name for file in files)
        what = f"it isn't clear which files belong together: {names}"
        raise CaseError(what, path=folder, hint=f"{HINT}, or give each examination a folder")
    return groups


def _notes(group: NameGroup) -> tuple[str, ...]:
    """Notes on how the files of an examination were chosen."""
    notes: list[str] = []
    if group.left:
        names = listed((path.name for path in group.left), _TOLD)
        notes.append(f"other versions of these images are not used: {names}")
    if group.numbers:
        notes.append("the numbers in the file names are taken for those of series")
    return tuple(notes)


def of_pictures(files: Sequence[Path], folder: Path) -> Case:
    """Pictures as the stacks of one examination, slices in the natural order of their names.

    The sequence is in the name of each picture, or else by the name of the folder it lies in. The
    slices of a sequence must lie in one folder. Pictures without a sequence are noted if others
    have one.

    Raises:
        CaseError: no sequence is stated, or several are, or a sequence is in two folders.
    """
    stacks: dict[str, list[Path]] = {}
    unused: list[Path] = []
    shared = shared_words([*{stem(path.name) for path in files}, *{p.parent.name for p in files}])
    for path in sorted(files, key=lambda path: natural(path.name)):
        if is_mask(stem(path.name)) or is_mask(path.parent.name):
            continue
        sequence = _sequence(read_name(stem(path.name), shared), path)
        sequence = sequence or _sequence(read_name(path.parent.name, shared), path.parent)
        if sequence is None:
            unused.append(path)
            continue
        stack = stacks.setdefault(sequence, [])
        if stack and stack[0].parent != path.parent:
            names = f"{stack[0].parent.name} and {path.parent.name}"
            hint = ask_files((stack[0].parent, path.parent), sequence)
            raise CaseError(f"two folders for {sequence}: {names}", path=folder, hint=hint)
        stack.append(path)
    if not stacks and unused:
        what = "neither the name of the picture nor that of its folder contains the sequence"
        raise CaseError(what, path=unused[0], hint=_ask_pictures(unused))
    if not stacks:
        raise CaseError("only masks, no images", path=folder)
    for stack in stacks.values():
        _check_gaps(stack)
    images = {sequence: ImageFile(tuple(paths)) for sequence, paths in stacks.items()}
    return case_of_images(images, "", folder, stray_pictures(unused))


def _ask_pictures(paths: Sequence[Path]) -> str:
    """Hint for pictures whose sequence is not in their names."""
    first = paths[0]
    if is_colour(read_stack([first])):
        renamed = first.with_name(f"{safe_name(stem(first.name))}_1{first.suffix}").name
        return (
            "a colour picture contains three sequences: if they are pre-contrast T1, FLAIR and "
            f"post-contrast T1, in this order, rename it to {renamed}"
        )
    return ask_file(first if len(paths) == 1 else first.parent)


def stray_pictures(paths: Sequence[Path]) -> tuple[str, ...]:
    """Note on pictures that are no images of a sequence, except the output of ``predict``."""
    names = [p.name for p in paths if not p.with_suffix(".json").is_file()]
    return (f"pictures not used: {listed(names, _TOLD)}",) if names else ()


def _check_gaps(stack: Sequence[Path]) -> None:
    """Check that the numbers in the names of slices are evenly spaced, if all names have one.

    Raises:
        CaseError: a number is missing.
    """
    matches = [re.fullmatch(r"(.*?)(\d{1,6})(\D*)", stem(path.name)) for path in stack]
    names = [match for match in matches if match]
    if len(names) < len(stack) or len({(name[1], name[3]) for name in names}) > 1:
        return
    numbers = sorted({int(name[2]) for name in names})
    step = min((b - a for a, b in itertools.pairwise(numbers)), default=1)
    missing = sorted(set(range(numbers[0], numbers[-1] + 1, step)) - set(numbers))
    if missing:
        what = f"slices are missing: {listed(map(str, missing), _TOLD)}"
        hint = "add them; if nothing is missing, number the slices without a gap"
        raise CaseError(what, path=stack[0].parent, hint=hint)


def case_of_images(
    images: Mapping[str, ImageFile], name: str, folder: Path, notes: tuple[str, ...] = ()
) -> Case:
    """A case without a mask, called ``name`` or, if that is empty, like its folder."""
    case, patient = (safe_name(name), patient_of(name)) if name else folder_case(folder)
    return Case(
        id=case,
        patient=patient,
        images={s: images[s] for s in SEQUENCES if s in images},
        source=SOURCE,
        site=tcga_site(patient),
        synthetic=is_synthetic(folder),
        notes=notes,
    )


def _sequence(reading: NameReading, path: Path) -> str | None:
    if reading.question:
        raise CaseError(reading.question, path=path, hint=ask_file(path, reading.candidates))
    return reading.sequence


def _why_not(reading: NameReading) -> str:
    if reading.unknown and reading.question:
        return reading.question
    return f"its name states {_shows(reading) or 'no sequence'}"


def _shows(reading: NameReading) -> str | None:
    """Kind of an image by its name, if it is none of the four sequences."""
    return reading.other or reading.elsewhere


def _unused(name: str, reading: NameReading) -> str:
    shows = _shows(reading)
    return f"{name} ({shows})" if shows else name
