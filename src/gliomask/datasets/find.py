"""Recognition of the layout of a folder by its content, and its cases."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gliomask.core.case import Case
from gliomask.core.volume import SEQUENCES
from gliomask.datasets import (
    bids,
    brats,
    figshare_cheng,
    lgg_1p19q,
    lgg_kaggle,
    nnunet,
    table,
    tcga_lgg,
    ucsf_pdgm,
    upenn_gbm,
)
from gliomask.datasets.folders import folders
from gliomask.datasets.layout import FoundCases, Layout, Problem
from gliomask.datasets.lost_origin import with_lost_origins
from gliomask.datasets.mask_labels.case_schemes import resolve_cases
from gliomask.datasets.mask_labels.option import AUTO, scheme_of_option
from gliomask.datasets.patients import with_own_table
from gliomask.datasets.questions import IN_A_TABLE
from gliomask.datasets.unsupported import archives_below, archives_counted
from gliomask.errors import LayoutError, option
from gliomask.formats.archive import UNPACK, is_archive

LAYOUTS: tuple[Layout, ...] = (
    lgg_kaggle.LAYOUT,
    tcga_lgg.LAYOUT,
    brats.LAYOUT,
    upenn_gbm.LAYOUT,
    ucsf_pdgm.LAYOUT,
    figshare_cheng.LAYOUT,
    lgg_1p19q.LAYOUT,
    bids.LAYOUT,
    nnunet.LAYOUT,
    table.LAYOUT,
)
"""All known layouts."""
SYNTHETIC_MARK = "SYNTHETIC"
"""Name of a file in the root of a data set that marks it as synthetic."""
_BARE = f"no images among its files; {IN_A_TABLE}"
_DEPTH = 2
_MOST_PLACES = 1000
"""Maximum number of folders per level to search; published sets need only a few."""
_OWN: Final = {
    "manifest.json": "a store that gliomask prepared",
    "card.json": "a folder of a model",
    "metrics.csv": "an evaluation",
}
"""File in a folder that gliomask writes -> what the folder is."""


def find_cases(root: str | Path, labels: str = AUTO) -> FoundCases:
    """Find the cases of the data set in ``root``, or one or two folders below it.

    If some cases have a mask, cases without a mask are problems; a set without any mask (for
    prediction only) has no such problems.

    Args:
        root: a folder, or the CSV file of the table layout.
        labels: meaning of the numbers in the masks, see ``mask_labels.option``; ``auto`` uses the
            layout, the names and the numbers.

    Raises:
        LayoutError: the folder does not exist, contains no data set (the message lists the known
            layouts and what is missing), or contains several.
        QuestionError: the numbers in the masks have several interpretations, or none.
        ConfigError: unknown ``labels``.
    """
    stated = scheme_of_option(labels)
    scan_result = find_masked(Path(root))
    cases, explanation = resolve_cases(scan_result.cases, stated)
    return replace(scan_result, cases=cases, explanation=(*scan_result.explanation, *explanation))


def find_masked(root: Path) -> FoundCases:
    """Find cases as ``find_cases``, but without resolving label schemes that the layout lacks."""
    scan_result = scan(root)
    scan_result = replace(scan_result, cases=with_lost_origins(scan_result.cases))
    if any(case.label for case in scan_result.cases):
        bare = tuple(
            Problem(case.id, "no mask") for case in scan_result.cases if case.label is None
        )
        usable = tuple(case for case in scan_result.cases if case.label is not None)
        return replace(scan_result, cases=usable, problems=(*scan_result.problems, *bare))
    return scan_result


def scan(root: Path, depth: int = _DEPTH) -> FoundCases:
    """Find cases as ``find_cases``, including cases without a mask.

    Args:
        depth: maximum depth of the data set below ``root``.
    """
    if not root.exists():
        raise LayoutError("no such file or folder", path=root)
    places = [root]
    for _ in range(depth + 1):
        if fits := [fit for place in places for fit in _fits(place)]:
            return _cases_found(root, _only(root, fits))
        places = [folder for place in places for folder in folders(place)][:_MOST_PLACES]
    if root.is_file():
        if is_archive(root):
            raise LayoutError("a zip archive, not a data set", path=root, hint=UNPACK)
        why = table.LAYOUT.looks_like(root).why.removeprefix(f"{root}: ")
        raise LayoutError(
            f"no data set in a known layout; a file must be a table of cases: {why}", path=root
        )
    if own := next((what for name, what in _OWN.items() if (root / name).is_file()), None):
        raise LayoutError(f"{own}, not a data set", path=root)
    sought = "; ".join(f"{layout.name}: {layout.looks_like(root).why}" for layout in LAYOUTS)
    if archives := archives_below(root):
        what = f"no data set in a known layout but {archives_counted(archives)}"
        raise LayoutError(what, path=root, hint=UNPACK)
    what = f"no data set in a known layout; known layouts: {sought}"
    hint = (
        f"{option('table', 'cases.csv', command='inspect')} lists the files in a table for prepare"
    )
    raise LayoutError(what, path=root, hint=hint)


def is_data_set(place: Path) -> bool:
    """Return True if a layout matches ``place`` itself."""
    return bool(_fits(place))


@dataclass(frozen=True)
class _Fit:
    place: Path
    layout: Layout
    why: str


def _fits(place: Path) -> list[_Fit]:
    verdicts = [(layout, layout.looks_like(place)) for layout in LAYOUTS]
    fits = [_Fit(place, layout, verdict.why) for layout, verdict in verdicts if verdict.fits]
    return [fit for fit in fits if fit.layout.described] or fits


def _only(root: Path, fitting: Sequence[_Fit]) -> _Fit:
    if len(fitting) == 1:
        return fitting[0]
    several = ", ".join(f"{fit.layout.name} in {fit.place}" for fit in fitting)
    raise LayoutError(f"several data sets: {several}", path=root, hint="use one of them")


def _cases_found(root: Path, fit: _Fit) -> FoundCases:
    cases, problems = fit.layout.cases(fit.place)
    synthetic = is_synthetic(fit.place)
    where = "" if fit.place == root else f" (in {fit.place.relative_to(root)})"
    explanation = [f"{fit.layout.name}{where}: {fit.why}"]
    bare = tuple(Problem(case.id, _BARE) for case in cases if not case.images)
    cases = tuple(case for case in cases if case.images)
    problems = (*problems, *bare)
    left_out = _left_out(fit.place, cases, problems) if fit.layout.by_folder else ()
    if left_out:
        explanation.append(f"no case in {', '.join(folder.name for folder in left_out)}")
    common = {name for case in cases for name in case.images}
    named = unique(cases)
    if fit.layout is not table.LAYOUT:  # whose own file may have this name
        named, notes = with_own_table(fit.place, named)
        explanation += notes
    return FoundCases(
        layout=fit.layout.name,
        cases=tuple(_finished(case, synthetic, common) for case in named),
        problems=problems,
        explanation=tuple(explanation),
        left_out=left_out,
    )


def _left_out(place: Path, cases: Iterable[Case], problems: Iterable[Problem]) -> tuple[Path, ...]:
    """Folders in ``place`` without usable or unusable cases."""
    used = {
        path for case in cases for file in case.images.values() for path in file.paths[0].parents
    }
    named = {problem.case for problem in problems}
    return tuple(f for f in folders(place) if f not in used and f.name not in named)


def is_synthetic(place: Path) -> bool:
    """Return True for a synthetic data set at ``place``: its root, a folder in it, or its table."""
    return any((folder / SYNTHETIC_MARK).is_file() for folder in (place, place.parent))


def numbered(name: str) -> Iterator[str]:
    """Names of cases that would share one: the name itself, then with ``-2``, ``-3`` and so on."""
    return (f"{name}-{n}" if n > 1 else name for n in itertools.count(1))


def unique(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Append a number to duplicate ids, compared without case."""
    ids: set[str] = set()
    cases_found = []
    for case in cases:
        free = next(name for name in numbered(case.id) if name.casefold() not in ids)
        ids.add(free.casefold())
        cases_found.append(replace(case, id=free))
    return tuple(cases_found)


def _finished(case: Case, synthetic: bool, common: set[str]) -> Case:
    """Sort sequences canonically, note missing ones, and remove licences of synthetic data."""
    images = {name: case.images[name] for name in SEQUENCES if name in case.images}
    notes = " ".join(case.notes)
    missing = [f"{s} is missing" for s in SEQUENCES if s in common and s not in images]
    return replace(
        case,
        images=images,
        licence=None if synthetic else case.licence,
        synthetic=synthetic,
        notes=case.notes + tuple(note for note in missing if note not in notes),
    )
