"""A prediction in Python shows itself, is plotted, and saves the files of the command."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import gliomask
from gliomask.core import prediction as core
from gliomask.core.volume import Volume
from gliomask.errors import CaseError, InputError
from gliomask.formats.case_record import existing_record
from gliomask.results.prediction.prediction import Prediction
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import FakeModel, head_volume, write_head, write_picture_head
from tests.workflows.heads import write_dicom_head

NAME = "BraTS-GLI-00001-000"


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel(size=64)
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", model)


def in_memory(case: str = "case", scale: int = 1) -> Prediction:
    volume = head_volume()
    images = {
        name: (image * scale, volume.affine)
        for name, image in zip(volume.sequences, volume.array, strict=True)
    }
    return gliomask.predict(images, Path("m"), case=case)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class Reader(HTMLParser):
    """The tags of a text, and the text between them; each that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.said = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def test_it_shows_itself_by_a_picture_and_a_table() -> None:
    found = replace(in_memory(), case="<script>a</script>")
    text = found._repr_html_()
    shown = Reader(text)
    assert "script" not in shown.tags
    assert shown.tags.count("img") == shown.tags.count("table") == 1
    assert re.search(r'src="data:image/png;base64,iVBORw0KGgo', text)
    assert found.volumes_ml
    assert f"whole tumour{found.volumes_ml['whole']:.1f} ml" in shown.said
    assert "<script>a</script>, by fake, reliability " in shown.said
    assert "For research use only" in shown.said
    assert len(text) < 1_000_000


def test_pictures_are_shown_in_voxels(tmp_path: Path) -> None:
    found = gliomask.predict(write_picture_head(tmp_path, "someone"), Path("m"))
    assert f"{found.voxels['whole']} voxels" in Reader(found._repr_html_()).said


def test_it_is_plotted() -> None:
    figure = in_memory().plot()
    assert len(figure.axes) >= 4
    assert "case" in figure.get_suptitle()


def test_plotting_alone_loads_matplotlib() -> None:
    code = "import sys, gliomask; gliomask.predict; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("write", [None, ("nifti",), ("html", "png")])
def test_it_saves_the_files_of_the_command(tmp_path: Path, write: tuple[str, ...] | None) -> None:
    folder = write_head(tmp_path / "in", NAME, head_volume())
    keys = {"inputs": (folder,), "out": tmp_path / "command", "model": Path("m"), "write": write}
    predict_files(PredictOptions.model_validate(keys))
    found = gliomask.predict(folder, Path("m"))
    assert isinstance(found, core.Prediction)
    saved = found.save(tmp_path / "python", write)  # type: ignore[arg-type]
    assert names(tmp_path / "python") == names(tmp_path / "command")
    assert {path.name for path in saved} == names(tmp_path / "python") - {"cases.csv"}
    for path in (tmp_path / "command").iterdir():
        if path.suffix in (".gz", ".png", ".csv"):
            assert path.read_bytes() == (tmp_path / "python" / path.name).read_bytes()
    records = [existing_record(tmp_path / out / f"{NAME}.json") for out in ("command", "python")]
    due, record = (one.model_dump() for one in records if one is not None)
    del due["timings_s"], record["timings_s"]
    assert record == due
    options = PredictOptions.model_validate({**keys, "out": tmp_path / "python"})
    assert predict_files(options).earlier == (NAME,)


def test_the_dicom_segmentation_of_an_archive_is_written_later(tmp_path: Path) -> None:
    write_dicom_head(tmp_path / "study")
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for path in sorted((tmp_path / "study").iterdir()):
            archive.write(path, path.name)
    found = gliomask.predict(tmp_path / "study.zip", Path("m"))
    image = next(iter(found.outcome.case.images.values())).paths[0]
    assert image.is_file()
    found.save(tmp_path / "out")
    assert "P1_20010203.seg.dcm" in names(tmp_path / "out")
    assert str(tmp_path / "study.zip") in (tmp_path / "out" / "P1_20010203.json").read_text()
    del found
    gc.collect()
    assert not image.exists()


def test_dicom_of_images_in_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no DICOM series"):
        in_memory().save(tmp_path / "out", ("dicom-seg",))
    assert not (tmp_path / "out").exists()


def test_the_result_of_other_images_stays(tmp_path: Path) -> None:
    first = gliomask.predict(write_head(tmp_path / "a", NAME, head_volume()), Path("m"))
    volume = head_volume()
    doubled = Volume(volume.array * 2, volume.affine, volume.sequences)
    other = gliomask.predict(write_head(tmp_path / "b", NAME, doubled), Path("m"))
    first.save(tmp_path / "out", ("nifti", "png"))
    with pytest.raises(CaseError, match="of other images"):
        other.save(tmp_path / "out")
    first.save(tmp_path / "out", ("html",))
    assert {f"{NAME}.png", f"{NAME}.html"} < names(tmp_path / "out")
    other.save(tmp_path / "out", ("png",), again=True)
    assert names(tmp_path / "out") == {f"{NAME}.png", f"{NAME}.json", "cases.csv"}


def test_another_result_of_images_in_memory_stays(tmp_path: Path) -> None:
    in_memory().save(tmp_path, ("nifti",))
    assert len(in_memory().save(tmp_path, ("png",))) == 3
    other = in_memory(scale=2)
    with pytest.raises(CaseError, match=r"contains another result of case; .*`again=True`"):
        other.save(tmp_path, ("nifti",))
    assert len(other.save(tmp_path, ("nifti",), again=True)) == 2
