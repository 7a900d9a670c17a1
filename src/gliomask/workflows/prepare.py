"""``prepare``: conversion of data sets in any known layout to a store with a split by patient.

Patients are prepared in parallel, each written atomically. The manifest is written last: a store
without it is unfinished, and the next run continues it, and only prepares missing patients and
those whose files have changed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from gliomask.config.prepare import PrepareOptions as PrepareOptions
from gliomask.core.case import Case
from gliomask.core.output_folder import check_replaceable
from gliomask.core.plausibility import MARK, implausible_notes
from gliomask.core.regions import REGIONS
from gliomask.core.slices import VERSION, to_slices
from gliomask.core.split import Patient, Split, TooFewSitesError, make_split
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
    patients, problems, explanation = _find(options)
    _check_target(options.out, set(patients))
    requested_split = read_split(options.split) if options.split else None
    if requested_split is None and patients:
        # Tumour sizes are not known yet, but an impossible split is reported now.
        ordered = [
            (name, sorted(cases_of_patient, key=lambda case: case.id))
            for name, cases_of_patient in patients.items()
        ]
        _draw(
            options, [_patient(name, cases_of_patient, 0.0) for name, cases_of_patient in ordered]
        )
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
    split = requested_split or _draw(options, _measured(manifest.cases))
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


def _check_target(out: Path, patients: set[str]) -> None:
    check_replaceable(out, "a store", {PATIENTS, MANIFEST})
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
    for entries, fresh, bad in spread(work, jobs, control, options.workers):
        done.append((entries, fresh))
        problems += bad
    return done, problems


def _prepare_patient(
    store: Path, planes: bool, job: tuple[str, Sequence[Case]], control: Control
) -> tuple[tuple[StoredCase, ...], bool, list[Failure]]:
    """Read and write a patient; return the entries, whether they are new, and the problems."""
    patient, cases = job
    fingerprints = {case.id: _fingerprint(case, planes) for case in cases}
    stored = stored_cases(store, patient)
    axial = {e.id: e.fingerprint for e in stored or () if e.plane == "axial"}
    if stored is not None and axial == fingerprints:
        return stored, False, []
    loaded: list[LoadedCase] = []
    problems: list[Failure] = []
    control.start(2 * len(cases), "")
    for case in sorted(cases, key=lambda case: case.id):
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
    with control.part(patient, len(cases)) as part:
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
    """SHA-256 over the content of the case's files and their interpretation."""
    digest = hashlib.sha256()
    images = [*case.images.items(), *([("label", case.label)] if case.label else [])]
    rules = [VERSION, case.id, case.patient, case.scheme, case.sparse, case.site, case.notes]
    rules += ["training only"] if case.training_only else []
    rules += ["planes"] if planes else []
    digest.update(repr([*rules, [(name, image.channel) for name, image in images]]).encode())
    named = {path for _, image in images for path in image.paths}
    for path in sorted({piece for named_file in named for piece in files_of(named_file)}):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
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


def _measured(entries: Sequence[StoredCase]) -> list[Patient]:
    """Patients of the store, with the mean size of their tumours."""
    by_patient: dict[str, list[StoredCase]] = defaultdict(list)
    for entry in entries:
        by_patient[entry.patient].append(entry)
    return [
        _patient(
            name, patient_entries, float(np.mean([entry.tumour_ml for entry in patient_entries]))
        )
        for name, patient_entries in by_patient.items()
    ]


def _patient(name: str, cases: Sequence[Case | StoredCase], size: float) -> Patient:
    first, training_only = cases[0], any(case.training_only for case in cases)
    return Patient(name, first.site or first.source, size, training_only)


def _draw(options: PrepareOptions, patients: Sequence[Patient]) -> Split:
    shares, folds = options.shares, options.folds
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
