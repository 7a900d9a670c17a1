"""The curves of a training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gliomask.errors import FormatError, InputError
from gliomask.report.curves import _epoch_means, _on_training, draw_curves

HISTORY = (
    "epoch,lr,train_loss,train_dice_loss,validation_loss,validation_dice_loss,validation_dice,"
    "slices_per_s,seconds\n"
)
ITERATIONS = "iteration,part,epoch,loss,dice_loss\n"
STEMS = ("epoch_dice_loss", "epoch_loss", "iteration_dice_loss", "iteration_loss", "curves")


def run_folder(folder: Path, epochs: int = 3, validated: bool = True) -> Path:
    rows = [
        f"{e},0.001,{3 / e},{0.9 / e},{f'{4 / e},{0.95 / e},0.5' if validated else ',,'},30,1\n"
        for e in range(1, epochs + 1)
    ]
    (folder / "history.csv").write_text(HISTORY + "".join(rows))
    steps = [f"{i},train,1,{3 / i},{0.9 / i}\n" for i in range(1, 5)]
    (folder / "iterations.csv").write_text(ITERATIONS + "".join(steps) + "4,validation,1,1,0.3\n")
    return folder


def colours(path: Path) -> set[tuple[int, ...]]:
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    return set(map(tuple, np.unique(pixels, axis=0).tolist()))


BLUE, RED = (0, 114, 178), (200, 16, 46)


def test_writes_every_curve_and_the_sheet(tmp_path: Path) -> None:
    written = draw_curves(run_folder(tmp_path), "a cohort (synthetic)")
    expected = {
        tmp_path / "figures" / f"{stem}.{kind}" for stem in STEMS for kind in ("png", "svg")
    }
    assert set(written) == expected == set((tmp_path / "figures").iterdir())
    for path in written:
        assert path.stat().st_size > 1000
    assert {BLUE, RED} <= colours(tmp_path / "figures" / "epoch_loss.png")
    text = (tmp_path / "figures" / "curves.svg").read_text()
    assert "a cohort (synthetic) · For research use only" in text


def test_a_run_without_validation_or_iterations(tmp_path: Path) -> None:
    run = run_folder(tmp_path, validated=False)
    (run / "iterations.csv").unlink()
    written = draw_curves(run)
    assert {path.stem for path in written} == {"epoch_dice_loss", "epoch_loss", "curves"}
    seen = colours(run / "figures" / "epoch_loss.png")
    assert BLUE in seen
    assert RED not in seen


def test_no_history(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="history"):
        draw_curves(tmp_path)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "no rows"),
        ("epoch,train_loss\n1,2\n", "column=train_dice_loss"),
        (HISTORY + "1,0.001,high,1,1,1,1,1,1\n", "train_loss=high"),
    ],
)
def test_damaged_history(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(FormatError, match=match):
        draw_curves(tmp_path)
    assert not (tmp_path / "figures").exists()


def test_unknown_part(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    (run / "iterations.csv").write_text(ITERATIONS + "1,dev,1,1,1\n")
    with pytest.raises(FormatError, match="no known part"):
        draw_curves(run)


def test_validation_batches_spread_over_the_steps_of_their_epoch() -> None:
    def table(**columns: list[float]) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
        return {name: np.array(values) for name, values in columns.items()}

    train = table(iteration=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    judged = table(iteration=[1.0, 2.0, 3.0, 4.0])
    at = _on_training({"train": train, "validation": judged}, "validation")
    assert at.tolist() == [2, 4, 6, 8]
    ends, means = _epoch_means(np.array([1.0, 1, 2, 2]), at, np.array([1.0, 3, 5, 9]))
    assert ends.tolist() == [4, 8]
    assert means.tolist() == [2, 7]
