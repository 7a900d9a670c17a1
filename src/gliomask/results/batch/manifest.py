"""Manifest of a batch: its cases with a hash of their content, fixed before the processing starts.

A file of JSON lines: common values, a line for each case, a line for each input that can't
be used. A case is read by the place of its line, so that no process has all of them in memory.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from gliomask.core.atomic import atomic_path
from gliomask.core.case import Case, ImageFile, SeriesUse
from gliomask.core.file_digest import file_digest
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.errors import CaseError, Failure, InputError, MachineError
from gliomask.formats.file_key import file_key
from gliomask.formats.volumes import files_of

FORM: Final = "gliomask batch 1"
_OWN_FORM: Final = ("images", "label", "scheme", "label_names", "series", "notes")
_DATES: Final = {"study_date": date.fromisoformat, "acquired": datetime.fromisoformat}
_MAX_LINE: Final = 2**26


@dataclass(frozen=True)
class Entry:
    """A case of a manifest.

    Attributes:
        case: the case without its label; paths in an archive are relative to it.
        archive: archive that contains it, or None.
        content: SHA-256 of all its files.
        stamp: hash of their sizes and times, so that an unchanged file is not read again.
    """

    case: Case
    archive: Path | None
    content: str
    stamp: str

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that its content depends on."""
        return _files(self.case, self.archive)

    def check_unchanged(self) -> None:
        """Check sizes and times again.

        Raises:
            CaseError: a file is gone or has changed since the manifest was made.
        """
        if self.stamp != _stamp(self.files):
            hint = "give the inputs again to create a new manifest"
            raise CaseError(f"{self.case.id}: has changed since it was listed", hint=hint)


@dataclass(frozen=True)
class Listed:
    """A case in the index of a manifest.

    Attributes:
        id: of the case.
        of: hash of the inputs of its result.
        offset: of its line.
    """

    id: str
    of: str
    offset: int


@dataclass(frozen=True)
class Manifest:
    """A manifest without the files of its cases.

    Attributes:
        path: its file.
        options: of the prediction, as plain values.
        rules: hash of what all results depend on besides the images.
        cases: in their order.
        problems: (case, reason) of inputs that can't be used.
    """

    path: Path
    options: Mapping[str, Any]
    rules: str
    cases: tuple[Listed, ...]
    problems: tuple[Failure, ...]


def entry_of(
    case: Case, archive: Path | None, place: Path | None, known: Mapping[str, str]
) -> Entry:
    """The entry of a case.

    Args:
        case: as it was found.
        archive: archive that contains it, and ``place``, the folder that it is unpacked to.
        known: stamp -> content of files that an earlier manifest has, see ``known_content``.

    Raises:
        CaseError: a file can't be read.
    """
    if archive is not None and place is not None:
        case = moved(case, lambda path: path.relative_to(place))
    files = _files(case, archive)
    stamp = _stamp(files)
    content = known.get(stamp) or _content(files)
    return Entry(case, archive, content, stamp)


def unpacked_case(entry: Entry, place: Path) -> Case:
    """The case of an entry, where its archive is unpacked."""
    return moved(entry.case, lambda path: place / path)


def write_manifest(
    path: Path,
    options: Mapping[str, Any],
    rules: str,
    entries: Iterable[Entry],
    problems: Iterable[Failure],
) -> None:
    """Write a manifest atomically; see ``Manifest``."""
    head = {"form": FORM, "notice": RESEARCH_USE_ONLY, "rules": rules, "options": options}
    with atomic_path(path) as temporary, temporary.open("w", encoding="ascii") as file:
        file.write(json.dumps(head) + "\n")
        for entry in entries:
            file.write(json.dumps(_plain(entry)) + "\n")
        for case, reason in problems:
            file.write(json.dumps({"problem": case, "reason": reason}) + "\n")


def read_manifest(path: Path) -> Manifest:
    """Read the index of a manifest.

    Raises:
        InputError: there is none, or it is not from gliomask.
    """
    lines = _lines(path)
    _, head = next(lines, (0, {}))
    if head.get("form") != FORM:
        raise InputError("no manifest of a batch", path=path)
    try:
        return _index(path, head, lines)
    except (KeyError, TypeError) as problem:
        raise InputError(f"can't be read: {type(problem).__name__}", path=path) from None


def _index(
    path: Path, head: Mapping[str, Any], lines: Iterable[tuple[int, dict[str, Any]]]
) -> Manifest:
    rules, cases, problems = str(head["rules"]), [], []
    for offset, keys in lines:
        if "problem" in keys:
            problems.append((str(keys["problem"]), str(keys["reason"])))
        else:
            digest = hashlib.sha256(f"{rules}{keys['content']}{keys['rest']}".encode()).hexdigest()
            cases.append(Listed(str(keys["id"]), digest, offset))
    return Manifest(path, head["options"], rules, tuple(cases), tuple(problems))


def read_entry(path: Path, offset: int) -> Entry:
    """A case of a manifest.

    Raises:
        MachineError: it can't be read, or was replaced meanwhile.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return _entry(json.loads(file.readline(_MAX_LINE)))
    except (OSError, ValueError, KeyError, TypeError):
        raise MachineError("the manifest was replaced during this run", path=path) from None


def known_content(path: Path) -> dict[str, str]:
    """Stamp -> content of the files that a manifest has; nothing if there is none."""
    if not path.is_file():
        return {}
    try:
        contents = {keys.get("stamp"): keys.get("content") for _, keys in _lines(path)}
    except InputError:
        return {}  # it is created again
    return {stamp: content for stamp, content in contents.items() if stamp and content}


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    offset = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(_MAX_LINE):
                keys = json.loads(line)
                if not isinstance(keys, dict):
                    raise ValueError("not an object")
                yield offset, keys
                offset += len(line)
    except FileNotFoundError:
        hint = "give the inputs to create one"
        raise InputError("no batch was started here", path=path.parent.parent, hint=hint) from None
    except (OSError, ValueError) as problem:
        raise InputError(f"can't be read: {type(problem).__name__}", path=path) from None


def _plain(entry: Entry) -> dict[str, Any]:
    case = entry.case
    rest = {
        field.name: getattr(case, field.name)
        for field in fields(case)
        if field.name not in _OWN_FORM
    }
    dates = {name: rest[name] and rest[name].isoformat() for name in _DATES}
    images = {name: _plain_image(image) for name, image in case.images.items()}
    shape = {**rest, **dates, "notes": case.notes, "images": images}
    digest = hashlib.sha256(json.dumps(shape).encode()).hexdigest()
    return {
        "id": case.id,
        "content": entry.content,
        "rest": digest,
        "stamp": entry.stamp,
        "archive": entry.archive and os.fspath(entry.archive),
        "case": {**shape, "series": [[getattr(s, f.name) for f in fields(s)] for s in case.series]},
    }


def _entry(keys: Mapping[str, Any]) -> Entry:
    case = dict(keys["case"])
    series = tuple(SeriesUse(*series_keys) for series_keys in case.pop("series"))
    images = {name: _image(image_keys) for name, image_keys in case.pop("images").items()}
    notes = tuple(case.pop("notes"))
    dates: dict[str, Any] = {
        name: (text := case.pop(name)) and read(text) for name, read in _DATES.items()
    }
    archive = None if keys["archive"] is None else Path(keys["archive"])
    made = Case(images=images, notes=notes, series=series, **dates, **case)
    return Entry(made, archive, str(keys["content"]), str(keys["stamp"]))


def _plain_image(image: ImageFile) -> dict[str, Any]:
    """A series has hundreds of files in one folder: the folder is named once."""
    folder = image.paths[0].parent
    names = [os.path.relpath(path, folder) for path in image.paths]
    return {"folder": str(folder), "names": names, "channel": image.channel}


def _image(keys: Mapping[str, Any]) -> ImageFile:
    folder = Path(keys["folder"])
    paths = (Path(os.path.normpath(folder / name)) for name in keys["names"])
    return ImageFile(tuple(paths), keys["channel"])


def moved(case: Case, move: Callable[[Path], Path]) -> Case:
    """The case with each path of its images moved."""
    images = {
        name: replace(image, paths=tuple(map(move, image.paths)))
        for name, image in case.images.items()
    }
    return replace(case, images=images)


def _files(case: Case, archive: Path | None) -> tuple[Path, ...]:
    if archive is not None:
        return (archive,)
    images = (path for image in case.images.values() for path in image.paths)
    return tuple(dict.fromkeys(piece for image in images for piece in files_of(image)))


def _stamp(files: Iterable[Path]) -> str:
    try:
        return hashlib.sha256(file_key(files).encode()).hexdigest()
    except OSError:
        return ""


def _content(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(file_digest(path))
    return digest.hexdigest()
