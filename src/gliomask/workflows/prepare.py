"""``prepare``: conversion of data sets in any known layout to a store with a split by patient.

Patients are prepared in parallel, each written atomically. The manifest is written last: a store
without it is unfinished, and the next run continues it, and only prepares missing patients and
those whose files have changed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from gliomask.config.prepare import PrepareOptions as PrepareOptions
from gliomask.core.case import Case
from gliomask.core.file_digest import file_digest
from gliomask.core.output_folder import check_replaceable
from gliomask.core.plausibility import MARK, implausible_notes
from gliomask.core.regions import REGIONS
from gliomask.core.slices import VERSION, to_slices
from gliomask.core.split import Split, TooFewSitesError, make_split
from gliomask.core.split_patients import SplitCase, split_patients
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case
from gliomask.datasets.patients import read_patients, shared_patients, with_patients
from gliomask.datasets.same_images import join_same_images
from gliomask.errors import (
    CaseError,
    CasesError,
    Failure,
    InputError,
    StoreError,
    option,
    printable,
    same_with,
)
from gliomask.formats.volumes import files_of
from gliomask.inference.planes import CROSSING, crosses
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.processes import spread
from gliomask.machine.processors import read_processors
from gliomask.store.manifest import (
    MANIFEST,
    PATIENTS,
    SPLIT,
    StoredCase,
    StoreManifest,
    read_split,
    write_manifest,
    write_split,
)
from gliomask.store.patient import LoadedCase, patient_path, stored_cases, write_patient


@dataclass(frozen=True)
class PrepareResult:
    """Result of ``prepare``.

    Attributes:
        store: its path.
        manifest: its manifest.
        split: split of its patients.
        made: number of patients prepared by this run; the others existed.
        skipped: (case, reason) of omitted cases.
        explanation: recognition of the sources, and notes on implausible images.
    """

    store: Path
    manifest: StoreManifest
    split: Split
    made: int
    skipped: tuple[Failure, ...]
    explanation: tuple[str, ...]


def prepare(options: PrepareOptions, control: Control = SILENT) -> PrepareResult:
    """Create or complete a store.

    Raises:
        LayoutError: a source is in no known layout.
        FormatError: the table of patients is invalid. CasesError: cases are unusable and
            ``skip_bad`` is not set, or all are unusable. InputError: the split can't be drawn:
            invalid shares, too few sites, unknown patients. StoreError: ``out`` contains something
            else.
        MachineError: a worker process was killed.
    """
    check_replaceable(options.out, "a store", {PATIENTS, MANIFEST})
    patients, problems, explanation = _find(options)
    _check_stored(options.out, set(patients))
    requested_split = read_split(options.split) if options.split else None
    if requested_split is None and patients:
        # Tumour sizes are not known yet, but an impossible split is reported now.
        _draw(options, [(case, 0.0) for cases in patients.values() for case in cases])
    done, more = _prepare_all(options, patients, control)
    problems += more
    entries = sorted((e for stored, _ in done for e in stored), key=lambda entry: entry.id)
    if problems and not (options.skip_bad and entries):
        usable = f"{len(entries)} can" if entries else "none can"
        hint = f"correct them, or omit them: {same_with(('skip_bad', True))}"
        raise CasesError(
            f"{len(problems)} cases can't be used, {usable}",
            sorted(problems),
            path=", ".join(str(source) for source in options.sources),
            hint=hint if entries else None,
        )
    manifest = _manifest(options, entries)
    split = requested_split or _draw(
        options, [(entry, entry.tumour_ml) for entry in manifest.cases]
    )
    _check_split(split, manifest, options.split)
    write_split(options.out / SPLIT, split)
    write_manifest(options.out, manifest)
    new = sum(fresh for _, fresh in done)
    doubts = [
        f"{e.id}: {note}" for e in manifest.cases for note in e.notes if note.startswith(MARK)
    ]
    explanation = (*explanation, *doubts)
    return PrepareResult(options.out, manifest, split, new, tuple(sorted(problems)), explanation)


def _find(
    options: PrepareOptions,
) -> tuple[dict[str, list[Case]], list[Failure], tuple[str, ...]]:
    """Cases by patient over all sources; ids in several sources get the name of their layout."""
    table = read_patients(options.patients) if options.patients else {}
    founds = [find_cases(source, options.labels) for source in options.sources]
    named, same = join_same_images(
        with_patients(
            [case for data_set in founds for case in data_set.cases], table, options.patients
        )
    )
    all_named = iter(named)
    founds = [
        replace(data_set, cases=tuple(islice(all_named, len(data_set.cases))))
        for data_set in founds
    ]
    counts: dict[str, int] = defaultdict(int)
    for data_set in founds:
        for case in data_set.cases:
            counts[case.id] += 1
    patients: dict[str, list[Case]] = defaultdict(list)
    for number, data_set in enumerate(founds, start=1):
        for case in data_set.cases:
            twice = counts[case.id] > 1
            name = f"{case.id}.{data_set.layout}-{number}" if twice else case.id
            patients[case.patient].append(replace(case, id=name))
    problems = [(p.case, p.reason) for data_set in founds for p in data_set.problems]
    explanation = [*(line for data_set in founds for line in data_set.explanation), *same]
    if shared := shared_patients(data_set.cases for data_set in founds):
        explanation.append(f"in several sources, treated as the same patients: {', '.join(shared)}")
    return dict(patients), problems, tuple(explanation)


def _check_stored(out: Path, patients: set[str]) -> None:
    """Refuse a store with patients that are not in the source."""
    stored_names = {entry.name for entry in (out / PATIENTS).glob("*.zarr")}
    foreign = stored_names - {patient_path(out, patient).name for patient in patients}
    if foreign:
        raise StoreError(
            f"the store contains patients that are not in the source ({min(foreign)})",
            path=out,
            hint=f"use another folder: {option('out')}",
        )


def _prepare_all(
    options: PrepareOptions, patients: dict[str, list[Case]], control: Control
) -> tuple[list[tuple[tuple[StoredCase, ...], bool]], list[Failure]]:
    """Stored entries of every patient, whether they are new, and all problems."""
    done: list[tuple[tuple[StoredCase, ...], bool]] = []
    problems: list[Failure] = []
    (options.out / PATIENTS).mkdir(parents=True, exist_ok=True)
    control.start(len(patients), "preparing patients")
    jobs = sorted(patients.items())
    work = partial(_prepare_patient, options.out, options.planes)
    workers = options.workers or read_processors().usable
    for entries, fresh, bad in spread(work, jobs, control, workers):
        done.append((entries, fresh))
        problems += bad
    return done, problems


def _prepare_patient(
    store: Path, planes: bool, job: tuple[str, Sequence[Case]], control: Control
) -> tuple[tuple[StoredCase, ...], bool, list[Failure]]:
    """Read and write a patient; return the entries, whether they are new, and the problems."""
    patient, cases = job
    fingerprints: dict[str, str] = {}
    problems: list[Failure] = []
    for case in cases:
        try:
            fingerprints[case.id] = _fingerprint(case, planes)
        except CaseError as problem:
            problems.append((case.id, str(problem)))
    stored = stored_cases(store, patient)
    axial = {e.id: e.fingerprint for e in stored or () if e.plane == "axial"}
    if stored is not None and axial == fingerprints:
        return stored, False, problems
    readable = sorted((c for c in cases if c.id in fingerprints), key=lambda case: case.id)
    loaded: list[LoadedCase] = []
    control.start(2 * len(readable), "")
    for case in readable:
        with control.part(case.id) as part:
            try:
                made = _loaded(case, fingerprints[case.id], part)
            except InputError as problem:
                problems.append((case.id, str(problem)))
                continue
            loaded.append(made)
            if planes and not case.sparse and crosses(to_slices(made.volume, control.check)):
                loaded += [made.cut(plane) for plane in CROSSING]
    if not loaded:
        return (), False, problems
    with control.part(patient, len(readable)) as part:
        write_patient(store, patient, loaded, part)
    return stored_cases(store, patient) or (), True, problems


def _loaded(case: Case, fingerprint: str, control: Control) -> LoadedCase:
    volume, labels = load_case(case, control)
    if labels is None:
        raise CaseError("the case has no mask")
    control.check()
    case = replace(case, notes=(*case.notes, *implausible_notes(volume)))
    return LoadedCase(case, volume, labels, fingerprint)


def _fingerprint(case: Case, planes: bool) -> str:
    """SHA-256 over the content of the case's files and their interpretation.

    Raises:
        CaseError: a file can't be read.
    """
    digest = hashlib.sha256()
    images = [*case.images.items(), *([("label", case.label)] if case.label else [])]
    rules = [VERSION, case.id, case.patient, case.scheme, case.sparse, case.site, case.notes]
    rules += ["training only"] if case.training_only else []
    rules += ["planes"] if planes else []
    digest.update(repr([*rules, [(name, image.channel) for name, image in images]]).encode())
    named = {path for _, image in images for path in image.paths}
    for path in sorted({piece for named_file in named for piece in files_of(named_file)}):
        digest.update(file_digest(path))
    return digest.hexdigest()


def _manifest(options: PrepareOptions, entries: Sequence[StoredCase]) -> StoreManifest:
    present = {sequence for entry in entries for sequence in entry.sequences}
    known = [sequence for sequence in SEQUENCES if sequence in present]
    return StoreManifest(
        name=printable(options.out.name),
        sequences=(*known, *sorted(present.difference(known))),
        regions=tuple(r for r in REGIONS if any(r in entry.regions for entry in entries)),
        licences=tuple(sorted({entry.licence for entry in entries if entry.licence})),
        synthetic=all(entry.synthetic for entry in entries),
        cases=tuple(entry for entry in entries if entry.plane == "axial"),
        crossing=tuple(entry for entry in entries if entry.plane != "axial"),
    )


def _draw(options: PrepareOptions, cases: Iterable[tuple[SplitCase, float]]) -> Split:
    """Split of the patients of cases, each with the size of its tumour."""
    patients, shares, folds = split_patients(cases), options.shares, options.folds
    try:
        return make_split(
            patients, seed=options.seed, shares=shares, folds=folds, fold_by=options.fold_by
        )
    except TooFewSitesError as problem:
        hint = f"use {option('fold_by', 'size')}"
        raise InputError(str(problem), option="fold_by", found="site", hint=hint) from None
    except ValueError as problem:
        raise InputError(str(problem), option="shares", found=shares) from None


def _check_split(split: Split, manifest: StoreManifest, path: Path | None) -> None:
    """Check that a given split contains exactly the patients of the store."""
    stored_patients = {entry.patient for entry in manifest.cases}
    for parts in (split.holdout, *split.folds):
        named = {patient for _, patients in parts.named() for patient in patients}
        if named != stored_patients:
            odd = min(named ^ stored_patients)
            where = "the split but not the data" if odd in named else "the data but not the split"
            raise StoreError(f"patient {odd!r} is in {where}", path=path)
        kept = {entry.patient for entry in manifest.cases if entry.training_only}
        if wrong := kept - set(parts.train):
            what = f"patient {min(wrong)!r} has a corrected mask and is for training only"
            raise StoreError(what, path=path, hint="put it into the training part")
