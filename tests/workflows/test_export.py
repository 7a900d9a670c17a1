"""``export``: the folder, and that its runner gives the mask of the command and of Python."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import runpy
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import gliomask
from gliomask.cli import main as cli
from gliomask.core.geometry import from_reading, orientation, spacing_mm, to_reading
from gliomask.core.volume import Volume
from gliomask.errors import ConfigError, InputError, MachineError, ModelError
from gliomask.export.whole import whole_graph
from gliomask.formats.nifti import read_nifti_labels
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.nets.cards import CARD_FILE, read_card, write_card
from gliomask.nets.measures import CleanUp
from gliomask.workflows.export import ExportOptions, export
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import head_volume, write_head
from tests.inference.test_engines import saved

SEQUENCES = ("t1", "flair")
NAME = "BraTS-GLI-00001-000"
Labels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fresh weights that mark a tenth of the head, and do with one of two sequences."""
    folder = saved(tmp_path_factory.mktemp("model"), regions=1)
    changes = {"sequences": SEQUENCES, "sequence_dropout": True, "temperature": 1.3}
    card = read_card(folder / CARD_FILE).model_copy(update=changes)
    write_card(folder / CARD_FILE, card)
    found = load_predictor(folder, "cpu", "torch").predict(head_volume(), maps=True).probabilities
    assert found is not None
    card = card.with_threshold(float(np.quantile(found, 0.9)))
    before = Predictor(load_predictor(folder, "cpu", "torch").engine, card).predict(head_volume())
    write_card(folder / CARD_FILE, card.model_copy(update={"clean_up": CleanUp(below_share=0.2)}))
    after = load_predictor(folder, "cpu", "torch").predict(head_volume())
    assert 0 < (after.mask > 0).sum() < (before.mask > 0).sum()  # some parts are dropped
    return folder


@pytest.fixture(scope="module")
def bundle(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(ExportOptions(model=model, out=tmp_path_factory.mktemp("b") / "bundle")).out


def arrays_of(volume: Volume, folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The images as the runner takes them, and its option."""
    turn, sizes = orientation(volume.affine), spacing_mm(volume.affine)
    paths = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in zip(volume.sequences, to_reading(volume.array, turn), strict=True):
        paths[name] = folder / f"{name}.npy"
        np.save(paths[name], image)
    slices, rows, columns = (str(sizes[axis]) for axis in turn.axes)
    return paths, ["--pixel-mm", rows, columns, "--slice-mm", slices]


def pairs(paths: Mapping[str, Path]) -> list[str]:
    return [f"{name}={path}" for name, path in paths.items()]


def ran(bundle: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The runner in a process that sees neither this package nor our environment."""
    command = [sys.executable, "-I", str(bundle / "run.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env={}, check=False)


def run_here(bundle: Path, *words: str | Path) -> None:
    """The runner in this process, which has loaded its packages already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORT_DISABLE_TELEMETRY", "1")
        patch.setattr(sys, "argv", ["run.py", *map(str, words)])
        runpy.run_path(str(bundle / "run.py"), run_name="__main__")


def masked(bundle: Path, volume: Volume, folder: Path, *, alone: bool = False) -> Labels:
    """The runner's mask on the volume's grid, by a process of its own if ``alone``."""
    paths, spacing = arrays_of(volume, folder)
    words: tuple[str | Path, ...] = (*pairs(paths), *spacing, "--out", folder / "found")
    if alone:
        done = ran(bundle, *words)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    else:
        run_here(bundle, *words)
    mask: Labels = np.load(folder / "found" / "mask.npy")
    return from_reading(mask, orientation(volume.affine))


def refused(bundle: Path, *words: str | Path) -> str:
    """The line that the runner ends with: its own, or that of its hook for exceptions."""
    usual, shown = sys.excepthook, io.StringIO()
    try:
        run_here(bundle, *words)
    except SystemExit as stop:
        shown.write(str(stop.code))
    except Exception as problem:
        with redirect_stderr(shown):
            sys.excepthook(type(problem), problem, None)
    finally:
        sys.excepthook = usual
    (line,) = shown.getvalue().splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize(
    ("axes", "flips"),
    [pytest.param((0, 1, 2), (), marks=pytest.mark.slow), ((2, 0, 1), (1,))],
)
def test_bundle_command_and_python_give_the_same_mask(
    model: Path, bundle: Path, tmp_path: Path, axes: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    volume = head_volume(axes, flips)
    options = PredictOptions(
        inputs=(write_head(tmp_path / "in", NAME, volume),),
        out=tmp_path / "out",
        model=str(model),
        write=("nifti",),
        device="cpu",
        engine="torch",
    )
    (case,) = predict_files(options).cases
    of_command, _ = read_nifti_labels(tmp_path / "out" / f"{case.case}_mask.nii.gz")
    in_memory = {n: (a, volume.affine) for n, a in zip(SEQUENCES, volume.array, strict=True)}
    of_python = gliomask.predict(in_memory, model, device="cpu").mask
    of_bundle = masked(bundle, volume, tmp_path, alone=True)
    assert 100 < (of_command > 0).sum() < 1000
    assert np.array_equal(of_bundle, of_command)
    assert np.array_equal(of_python, of_command)


def test_a_missing_sequence(model: Path, bundle: Path, tmp_path: Path) -> None:
    volume = head_volume().select(("flair",))
    due = load_predictor(model, "cpu", "torch").predict(volume).mask
    assert np.array_equal(masked(bundle, volume, tmp_path), due)


def test_openvino(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    made = export(ExportOptions(model=model, out=tmp_path / "bundle", to="openvino"))
    assert set(made.sha256) == {"model.xml", "model.bin"}
    volume = head_volume()
    due = load_predictor(model, "cpu", "torch").predict(volume, maps=True)
    mask = masked(made.out, volume, tmp_path)
    assert (mask != due.mask).sum() <= 0.001 * (due.mask > 0).sum()
    found = np.load(tmp_path / "found" / "probability.npy")
    assert due.probabilities is not None
    turned = to_reading(due.probabilities, orientation(volume.affine))
    assert np.abs(found - turned).max() < 5e-4
    again = export(ExportOptions(model=model, out=tmp_path / "again", to="openvino"))
    assert again.sha256 == made.sha256


def test_one_array_of_all_sequences(bundle: Path, tmp_path: Path) -> None:
    paths, spacing = arrays_of(head_volume(), tmp_path)
    np.save(tmp_path / "all.npy", np.stack([np.load(paths[name]) for name in SEQUENCES]))
    run_here(bundle, tmp_path / "all.npy", *spacing, "--out", tmp_path / "a")
    turned = dict(reversed(paths.items()))
    run_here(bundle, *pairs(turned), *spacing, "--out", tmp_path / "b")
    for name in ("mask.npy", "probability.npy"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_what_the_runner_refuses(bundle: Path, tmp_path: Path) -> None:
    paths, spacing = arrays_of(head_volume(), tmp_path)
    image = np.load(paths["t1"])
    made = {
        "three": np.stack([image] * 3),
        "one": image[None],
        "flat": image[0],
        "small": image[:, 1:],
        "constant": np.ones_like(image),
        "holed": np.where(image == image.max(), np.nan, image),
    }
    for name, array in made.items():
        np.save(tmp_path / f"{name}.npy", array)
        paths[name] = tmp_path / f"{name}.npy"
    takes = "takes images of one shape (S, H, W): any of t1, flair"
    assert takes in refused(bundle, paths["three"], *spacing)
    assert takes in refused(bundle, paths["one"], *spacing)
    assert takes in refused(bundle, paths["three"], paths["one"], *spacing)
    assert takes in refused(bundle, f"flair={paths['flat']}", *spacing)
    assert takes in refused(bundle, f"t2={paths['t1']}", *spacing)
    assert takes in refused(bundle, f"t1={paths['t1']}", f"t1={paths['t1']}", *spacing)
    assert takes in refused(bundle, f"t1={paths['t1']}", f"flair={paths['small']}", *spacing)
    assert "constant" in refused(bundle, f"t1={paths['constant']}", *spacing)
    assert "NaN" in refused(bundle, f"t1={paths['holed']}", *spacing)
    assert "--pixel-mm" in refused(
        bundle, f"t1={paths['t1']}", "--pixel-mm", "0", "1", "--slice-mm", "1"
    )
    assert not (tmp_path / "mask.npy").exists()


def test_files_that_the_runner_can_not_use(bundle: Path, tmp_path: Path) -> None:
    paths, spacing = arrays_of(head_volume(), tmp_path)
    image = np.load(paths["t1"])
    np.savez(tmp_path / "packed.npz", image)
    (tmp_path / "nothing.npy").write_bytes(b"")
    for name, array in {
        "objects": np.array([None, {}]),
        "complex": image.astype(np.complex64),
        "number": np.array(1.0),
        "empty": np.zeros((0, 10, 10)),
    }.items():
        np.save(tmp_path / f"{name}.npy", array)
    reasons = {
        "absent.npy": f"No such file or directory: '{tmp_path / 'absent.npy'}'",
        "packed.npz": "NpzFile",
        "nothing.npy": "No data left in file",
        "objects.npy": "Object arrays",
        "complex.npy": "Cannot cast",
        "number.npy": "images of one shape (S, H, W)",
        "empty.npy": "nothing in an image",
    }
    for file, reason in reasons.items():
        assert reason in refused(bundle, f"t1={tmp_path / file}", *spacing)
        assert refused(bundle, tmp_path / file, *spacing).startswith("error: ")


def test_a_path_may_have_equals_signs(bundle: Path, tmp_path: Path) -> None:
    paths, spacing = arrays_of(head_volume(), tmp_path)
    folder = tmp_path / "t1=a=b"
    folder.mkdir()
    paths["t1"].rename(folder / "t1.npy")
    run_here(bundle, f"t1={folder / 't1.npy'}", *spacing, "--out", tmp_path / "result")
    assert (tmp_path / "result" / "mask.npy").is_file()


def test_options_that_the_runner_refuses(bundle: Path, tmp_path: Path) -> None:
    paths, spacing = arrays_of(head_volume(), tmp_path)
    image = f"t1={paths['t1']}"
    for sizes in ("nan 1 1", "1 inf 1", "1 1 nan", "1 1 1e30", "1 1 1e-9", "1 -1 1"):
        row, column, between = sizes.split()
        words = ("--pixel-mm", row, column, f"--slice-mm={between}")
        assert "not 0.01 to 100" in refused(bundle, image, *words)
    (tmp_path / "file").write_text("")
    assert "File exists" in refused(bundle, image, *spacing, "--out", tmp_path / "file")


def test_all_sequences_may_be_due(model: Path, tmp_path: Path) -> None:
    card = read_card(model / CARD_FILE).model_copy(update={"sequence_dropout": False})
    (tmp_path / "strict").mkdir()
    (tmp_path / "strict" / "weights.safetensors").symlink_to(model / "weights.safetensors")
    write_card(tmp_path / "strict" / CARD_FILE, card)
    made = export(ExportOptions(model=tmp_path / "strict", out=tmp_path / "bundle")).out
    paths, spacing = arrays_of(head_volume(), tmp_path)
    assert "all of t1, flair" in refused(made, f"t1={paths['t1']}", *spacing)
    run_here(made, *pairs(paths), *spacing, "--out", tmp_path)
    assert (tmp_path / "mask.npy").is_file()


def test_a_damaged_graph_is_refused(bundle: Path, tmp_path: Path) -> None:
    for path in bundle.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    graph = bytearray((tmp_path / "model.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (tmp_path / "model.onnx").write_bytes(graph)
    paths, spacing = arrays_of(head_volume(), tmp_path)
    done = ran(tmp_path, *pairs(paths), *spacing)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: model.onnx is damaged")


def test_the_runner_is_short_and_needs_a_runtime_and_numpy(bundle: Path) -> None:
    text = (bundle / "run.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 55
    assert "research use only" in text
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module).split(".")[0])
    # scipy only where small parts are dropped
    assert found - sys.stdlib_module_names == {"numpy", "onnxruntime", "scipy"}


def test_what_stands_in_the_folder(model: Path, bundle: Path) -> None:
    names = {path.name for path in bundle.iterdir()}
    assert names == {"model.onnx", "card.json", "bundle.json", "run.py", "README.md"}
    assert (bundle / "card.json").read_bytes() == (model / "card.json").read_bytes()
    told = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    card = read_card(model / CARD_FILE)
    digest = hashlib.sha256((bundle / "model.onnx").read_bytes()).hexdigest()
    assert told["sha256"] == {"model.onnx": digest}
    assert told["sequences"] == list(SEQUENCES)
    assert told["threshold"] == card.threshold
    assert told["labels"] == {"whole": 1}
    assert told["notice"] == "For research use only"
    assert (told["opset"], told["format_version"], told["licence"]) == (17, 1, "none")
    assert set(told["inputs"]) == {"images", "pixel_mm", "present"}
    assert set(told["outputs"]) == {"probability", "mask", "contrast"}
    readme = (bundle / "README.md").read_text(encoding="utf-8")
    assert "For research use only" in readme
    assert "Licence: none" in readme
    assert "{" not in readme


def test_two_exports_are_the_same_to_the_byte(model: Path, bundle: Path, tmp_path: Path) -> None:
    again = export(ExportOptions(model=model, out=tmp_path / "again")).out
    for path in bundle.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()


def test_what_is_refused(model: Path, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="output folder exists already"):
        export(ExportOptions(model=model, out=bundle))
    with pytest.raises(ModelError, match="the model folder does not exist"):
        export(ExportOptions(model=tmp_path / "nowhere", out=tmp_path / "out"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "weights.safetensors").symlink_to(model / "weights.safetensors")
    card = read_card(model / CARD_FILE).model_copy(update={"preprocess": {"version": 99}})
    write_card(other / CARD_FILE, card)
    with pytest.raises(InputError, match="another preprocessing"):
        export(ExportOptions(model=other, out=tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_two_exports_into_one_folder_at_the_same_time(
    model: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one ends while the first one works."""
    out = tmp_path / "out"

    def whole(*arguments: Any) -> Any:
        if not out.exists():
            out.mkdir()
            (out / "bundle.json").write_text("of the other")
        return whole_graph(*arguments)

    monkeypatch.setattr("gliomask.workflows.export.whole_graph", whole)
    with pytest.raises(ConfigError, match="out: exists already, and is not replaced"):
        export(ExportOptions(model=model, out=out))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / "bundle.json").read_text() == "of the other"


def test_openvino_that_is_not_installed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MachineError, match=r"not installed; pip install \"gliomask\[openvino\]\""):
        export(ExportOptions(model=model, out=tmp_path / "out", to="openvino"))
    assert not any(tmp_path.iterdir())


def test_the_command(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["gliomask", "export", str(model), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", [*words, "--json"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0
    assert set(json.loads(capsys.readouterr().out)["sha256"]) == {"model.onnx"}
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert "output folder exists already" in shown
    monkeypatch.setattr(sys, "argv", [*words[:-1], str(tmp_path / "b"), "--to", "tflite"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert "tflite" in capsys.readouterr().err
