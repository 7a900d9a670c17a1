"""Work of a worker process: audit, segmentation, or check of a correction.

Only workers read uploaded files. A worker keeps its model loaded between jobs.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import TypeAdapter

from gliomask.config.choices import Device, EngineName
from gliomask.core.atomic import atomic_folder, write_text
from gliomask.errors import BatchError, CasesError, GliomaskError, StoppedError
from gliomask.jobs.control import Control
from gliomask.machine.heap import return_freed_memory
from gliomask.web.folder import EDITABLE, RESULT, link_or_copy
from gliomask.web.task import InspectSpec, PredictSpec, Task, TaskFile, TaskResult

if TYPE_CHECKING:
    from gliomask.segmentation.loaded_model import LoadedModel

Work = Callable[[Task, Control], TaskResult]
_SHOWN: Final = {
    "case",
    "files",
    "voxels",
    "volumes_ml",
    "volumes_ml_90",
    "intervals",
    "reliability",
    "lesions",
    "sequences_used",
    "sequences_missing",
    "series",
    "notes",
}
"""Keys of the record of a case in the result of a job; the complete record is a file."""
_ERROR: Final = re.compile("Error$")


def auditor() -> Work:
    """Worker for audits and checks of corrections; torch is never loaded."""
    return_freed_memory()
    return _without_network


def segmenter(model: Path, device: Device, engine: EngineName) -> Work:
    """Worker for segmentations.

    Args:
        model: to load at once.
        device, engine: options of the tasks.

    Raises:
        ModelError, MachineError: it can't be loaded.
    """
    from gliomask.segmentation.loaded_model import LoadedModel

    return_freed_memory()
    loaded = LoadedModel()
    loaded.load(model, device, engine)

    def work(task: Task, control: Control) -> TaskResult:
        return _segment(task, control, loaded)

    return work


def _without_network(task: Task, control: Control) -> TaskResult:
    works = {"correct": _correct, "follow": _follow}
    return works.get(task.read().kind, _audit)(task, control)


def _correct(task: Task, control: Control) -> TaskResult:
    from gliomask.workflows.correct import CorrectOptions, correct

    with _outcome_of(task.folder) as outcome:
        made = correct(CorrectOptions.model_validate(task.read().spec), control)
        outcome.append(TaskResult("done", result=_plain(made, task.folder)))
    return outcome[0]


def _follow(task: Task, control: Control) -> TaskResult:
    from gliomask.workflows.follow import FollowOptions, follow

    with _outcome_of(task.folder) as outcome:
        options = {**task.read().spec, "out": task.folder / RESULT}
        follow(FollowOptions.model_validate(options), control)
        outcome.append(TaskResult("done"))
    return outcome[0]


def _audit(task: Task, control: Control) -> TaskResult:
    from gliomask.workflows.inspect import InspectOptions, inspect

    job, spec = task.read(), None
    with _laid_out(task, job) as (tree, _), _outcome_of(tree) as outcome:
        spec = InspectSpec.model_validate(job.spec)
        options = InspectOptions(paths=_entries(tree), series=spec.series, full=spec.full)
        inspection = _plain(inspect(options, control), tree)
        with atomic_folder(task.folder / RESULT) as folder:
            write_text(folder / "audit.json", _json(inspection))
        outcome.append(TaskResult("done", result={"audit": inspection}))
    return outcome[0]


def _segment(task: Task, control: Control, loaded: LoadedModel) -> TaskResult:
    from gliomask.config.predict import PredictOptions

    job = task.read()
    with _laid_out(task, job) as (tree, places), _outcome_of(tree) as outcome:
        spec = PredictSpec.model_validate(job.spec)
        chosen = spec.model_dump(exclude={"model", "sequences"})
        with (
            atomic_folder(task.folder / EDITABLE) as editable,
            atomic_folder(task.folder / RESULT) as folder,
        ):
            options = PredictOptions(
                **chosen,
                sequences={name: places[number] for name, number in spec.sequences.items()},
                out=folder,
                model=job.model,
                device=job.device,
                engine=job.engine,
            )
            inputs = () if spec.sequences else _entries(tree)
            try:
                result = loaded.segment(options, inputs, tree, editable, control)
            except BatchError as problem:  # the other cases are done, and lie in the folder
                result = cast(Any, problem.result)
            cases = [record.model_dump(mode="json", include=_SHOWN) for record in result.cases]
            summary = _plain({"model": result.model, "cases": cases}, tree)
            failures = [{"case": c, "reason": _without(tree, r)} for c, r in result.failures]
            outcome.append(TaskResult("done", result={**summary, "failures": failures}))
    return outcome[0]


@contextmanager
def _laid_out(task: Task, job: TaskFile) -> Iterator[tuple[Path, dict[int, Path]]]:
    """Arrange the uploaded files in a folder as on the client, and return their paths.

    The names were checked during the upload (``formats.archive_rules``).
    """
    tree = task.folder / "input"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(mode=0o700)
    places = {}
    try:
        for number, name, stored in job.files:
            place = places[number] = tree.joinpath(*name.split("/"))
            place.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(stored, place)
        yield tree, places
    finally:
        shutil.rmtree(tree, ignore_errors=True)


@contextmanager
def _outcome_of(tree: Path) -> Iterator[list[TaskResult]]:
    """Run a task; errors of the input are converted to errors for the client."""
    outcome: list[TaskResult] = []
    try:
        yield outcome
    except StoppedError:
        raise
    except GliomaskError as problem:
        lines = [str(problem)]
        if isinstance(problem, CasesError):
            lines += [f"{case}: {reason}" for case, reason in problem.problems]
        code = _ERROR.sub("", type(problem).__name__).lower()
        outcome.append(TaskResult("failed", code, _without(tree, "\n".join(lines))))
    except MemoryError:
        outcome.append(TaskResult("failed", "machine", "not enough memory"))


def _entries(tree: Path) -> tuple[Path, ...]:
    """Inputs with the client's names: files, folders, archives."""
    return tuple(sorted(tree.iterdir()))


def _without(tree: Path, text: str) -> str:
    """Replace paths in a text with those of the client."""
    return text.replace(f"{tree}{os.sep}", "").replace(str(tree), "the upload")


def _plain(value: Any, tree: Path) -> Any:
    """Convert a value to JSON, with paths of the client."""
    plain = value if isinstance(value, dict) else asdict(value)
    return _shortened(TypeAdapter(Any).dump_python(plain, mode="json"), tree)


def _shortened(value: Any, tree: Path) -> Any:
    match value:
        case str():
            return _without(tree, value)
        case list():
            return [_shortened(item, tree) for item in value]
        case dict():
            return {key: _shortened(item, tree) for key, item in value.items()}
    return value


def _json(value: Any) -> str:
    return TypeAdapter(Any).dump_json(value, indent=1).decode()
