"""Files of a case in a prediction folder: existence and replacement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gliomask.config.output_kinds import Kind
from gliomask.core.file_digest import file_digest
from gliomask.errors import CaseError
from gliomask.formats.case_record import CaseRecord
from gliomask.jobs.control import SILENT, Control
from gliomask.results.prediction.fingerprint import files_fingerprint
from gliomask.results.prediction.outcome import Outcome, record_path
from gliomask.results.prediction.staging import staged
from gliomask.results.prediction.write import usual_kinds, write_outputs


def write_case_files(
    out: Path,
    outcome: Outcome,
    write: Sequence[Kind] | None,
    earlier: CaseRecord | None,
    control: Control = SILENT,
) -> CaseRecord:
    """Write the files of a case atomically.

    Args:
        out: the folder.
        outcome: of the case.
        write: kinds of files; None for the usual ones.
        earlier: the case's record in the folder. Its files stay if they are of the same result;
            those of another result are always removed.
        control: reports the kinds of files.

    Raises:
        CaseError: see ``check_unedited``.
        InputError: see ``write_outputs``.
        MachineError: the files can't be written.
    """
    kinds = usual_kinds(outcome.case) if write is None else write
    outcome = replace(outcome, key=files_fingerprint(outcome.result, kinds))
    own = own_files(out, earlier) if earlier is not None else ()
    if earlier is not None:
        check_unedited(out, earlier)
    same = earlier is not None and earlier.result == outcome.result
    existing, stale = (own, ()) if same else ((), own)
    sums = earlier.checksums if earlier is not None else {}
    kept = dict.fromkeys(existing, "")
    kept |= {name: digest for name, digest in sums.items() if name.split("/")[0] in kept}
    with staged(out, record_path(out, outcome.case).name, stale) as folder:
        return write_outputs(
            folder, outcome, kinds, kept, strict=write is not None, control=control
        )


def check_unedited(out: Path, record: CaseRecord) -> None:
    """Refuse to replace a file that was edited, such as a mask that was corrected by hand.

    Raises:
        CaseError: a file of the record was changed after it was written.
    """
    own = {*own_files(out, record)}
    for name, digest in record.checksums.items():
        path = out / name
        if name.split("/")[0] in own and path.is_file() and file_digest(path).hex() != digest:
            what = f"{record.case}: changed after gliomask wrote it, so it is not replaced"
            raise CaseError(what, path=path, hint="move it away")


def own_files(out: Path, record: CaseRecord) -> tuple[str, ...]:
    """Existing files that are named in a record.

    A record may have been edited, so only plain names of files of the case count: its id, and a
    dot or an underscore.
    """
    own = (name for name in record.files if name.startswith((f"{record.case}.", f"{record.case}_")))
    return tuple(name for name in own if Path(name).name == name and (out / name).exists())


def is_finished(out: Path, record: CaseRecord, key: str) -> bool:
    """Return True if an earlier run had the same inputs, and all its files exist."""
    return record.key == key and all(_is_whole(out / name, record) for name in record.files)


def _is_whole(path: Path, record: CaseRecord) -> bool:
    """Return True if a file exists, or a folder with a mask for each picture."""
    if path.is_dir():
        return sum(1 for _ in path.iterdir()) >= record.shape[2]
    return path.is_file()
