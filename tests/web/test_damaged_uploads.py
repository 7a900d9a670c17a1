"""Damaged and hostile files over HTTP: the same reasons as from the command, and nothing worse.

Many files are one job each kind: an audit that reads every voxel, compared with what
``gliomask inspect --full`` makes of the same folder. More of them: ``-m slow``.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from pydicom.data import get_testdata_file

from gliomask.errors import GliomaskError
from gliomask.formats.nifti import write_nifti
from gliomask.workflows.inspect import InspectOptions, inspect
from tests.fakes import head_volume, write_head
from tests.formats.raw_nifti import content, image
from tests.formats.test_archive import HOSTILE, packed
from tests.web.live import Server, served
from tests.workflows.heads import write_dicom_head

pytestmark = pytest.mark.server

PACKED = gzip.compress(content(image((24, 20, 12))), mtime=0)
PLAIN = content(image((24, 20, 12)))
LIES: dict[str, dict[str, Any]] = {
    "huge": {"dim": [3, 32000, 32000, 32000, 1, 1, 1, 1]},
    "large": {"dim": [3, 700, 700, 400, 1, 1, 1, 1], "datatype": 16, "bitpix": 32},
    "none": {"dim": [3, 0, 20, 12, 1, 1, 1, 1]},
    "negative": {"dim": [3, -24, 20, 12, 1, 1, 1, 1]},
    "no dimensions": {"dim": [0, 24, 20, 12, 1, 1, 1, 1]},
    "nine dimensions": {"dim": [9, 24, 20, 12, 1, 1, 1, 1]},
    "far voxels": {"vox_offset": 1e9},
    "no place": {"srow_x": [np.nan, 0, 0, 0]},
    "flat": {"srow_z": [0, 0, 0, 0]},
    "slope": {"scl_slope": np.inf, "scl_inter": 0},
    "colours": {"datatype": 128, "bitpix": 24},
    "complex numbers": {"datatype": 32, "bitpix": 64},
    "no magic": {"magic": b"xx"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("damaged") / "data", "--limit", "open_uploads=1000") as one:
        yield one


def by_command(place: Path) -> Any:
    """What the command says of a folder or an archive, with paths as a client knows them."""
    try:
        found = TypeAdapter(Any).dump_python(
            asdict(inspect(InspectOptions(paths=(place,), full=True))), mode="json"
        )
    except GliomaskError as problem:
        return shortened(str(problem), place)
    return shortened(found, place)


def shortened(value: Any, folder: Path) -> Any:
    match value:
        case str():
            return value.replace(f"{folder.parent}/", "")
        case list():
            return [shortened(one, folder) for one in value]
        case dict():
            return {key: shortened(one, folder) for key, one in value.items()}
    return value


def uploaded(server: Server, place: Path) -> str:
    """The upload of a folder or of a file."""
    if place.is_dir():
        return server.upload(place)
    made: str = server.client.post("/uploads").json()["id"]
    path, name = f"/uploads/{made}/files/0", {"name": place.name}
    assert server.client.put(path, params=name, content=place.read_bytes()).status_code == 200
    return made


def by_server(server: Server, folder: Path) -> Any:
    """The same from a job; the answers of the server are all as they should be."""
    upload = uploaded(server, folder)
    job = server.ended(server.submit(upload, "inspect", full=True), 600)
    assert server.client.delete(f"/uploads/{upload}").status_code == 204
    assert job["state"] in ("done", "failed")
    if job["state"] == "failed":
        assert job["error"]["code"] not in ("bug", "worker"), job["error"]
        return job["error"]["text"]
    return job["result"]["audit"]


def same(server: Server, folder: Path) -> Any:
    """Both, which are equal."""
    found = by_server(server, folder)
    expected = by_command(folder)
    if isinstance(found, str):
        assert found.splitlines()[0] == expected
    else:
        assert found == expected
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "bug of gliomask" not in log
    return found


def cases(folder: Path, contents: list[bytes], name: str = "flair.nii.gz") -> Path:
    """An examination of each content."""
    for number, one in enumerate(contents):
        place = folder / f"c{number:03}" / f"c{number:03}-{name}"
        place.parent.mkdir(parents=True)
        place.write_bytes(one)
    return folder


def flipped(original: bytes, number: int, first: int, last: int, seed: int) -> list[bytes]:
    """Copies with one byte changed between two places."""
    chance, made = random.Random(seed), []
    for _ in range(number):
        damaged = bytearray(original)
        damaged[chance.randrange(first, last)] ^= chance.randrange(1, 256)
        made.append(bytes(damaged))
    return made


def headers(number: int) -> list[bytes]:
    return [gzip.compress(one, 1) for one in flipped(PLAIN, number, 0, 348, 1)]


def streams(number: int) -> list[bytes]:
    return flipped(PACKED, number, 10, len(PACKED), 2)


def cut(number: int) -> list[bytes]:
    chance = random.Random(3)
    return [PACKED[: chance.randrange(len(PACKED))] for _ in range(number)]


def lies(number: int) -> list[bytes]:
    return [gzip.compress(content(**fields), 1) for fields in list(LIES.values())[:number]]


def bomb(_number: int) -> list[bytes]:
    """A header of 300 MB of voxels, which are all zeros; one that goes on for ever; garbage."""
    head = content(np.zeros((1, 1, 1), np.int16), dim=[3, 600, 500, 500, 1, 1, 1, 1])[:352]
    return [gzip.compress(head + bytes(300_000_000), 1), PACKED + PACKED, PACKED + b"garbage"]


NIFTI: dict[str, tuple[Callable[[int], list[bytes]], int]] = {
    "headers": (headers, 300),  # I1
    "streams": (streams, 300),
    "cut": (cut, 30),  # I2
    "lies": (lies, len(LIES)),  # I3
    "bombs": (bomb, 3),  # I4
}


@pytest.mark.parametrize("kind", list(NIFTI))
def test_nifti(server: Server, tmp_path: Path, kind: str) -> None:
    make, number = NIFTI[kind]
    same(server, cases(tmp_path / "files", make(min(number, 20))))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["headers", "streams", "cut"])
def test_more_nifti(server: Server, tmp_path: Path, kind: str) -> None:
    make, number = NIFTI[kind]
    same(server, cases(tmp_path / "files", make(number)))


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"a crowd"}))
def test_archives(server: Server, tmp_path: Path, name: str) -> None:
    """I5. Nothing is written outside the data folder, and nothing is left in it."""
    fill, reason = HOSTILE[name]
    archive, before = packed(tmp_path / "a.zip", fill), outside(server)
    found = same(server, archive)
    assert reason in str(found)
    assert outside(server) == before
    assert [path for path in server.data.rglob("*") if path.name in ("outside", "odd")] == []


def outside(server: Server) -> list[Path]:
    """All beside the data folder."""
    paths = server.data.parent.rglob("*")
    return sorted(path for path in paths if not path.is_relative_to(server.data))


def test_files_of_pydicom(server: Server, tmp_path: Path) -> None:
    """I6: magnetic resonance and all else, whole and damaged."""
    names = (
        "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_padded.dcm",
        "MR_truncated.dcm", "CT_small.dcm", "rtplan_truncated.dcm", "badVR.dcm", "no_meta.dcm",
        "meta_missing_tsyntax.dcm", "ExplVR_BigEndNoMeta.dcm", "image_dfl.dcm", "UN_sequence.dcm",
        "nested_priv_SQ.dcm", "liver_1frame.dcm", "J2K_pixelrep_mismatch.dcm", "693_J2KI.dcm",
        "waveform_ecg.dcm", "test-SR.dcm",
    )  # fmt: skip
    folder = tmp_path / "files"
    folder.mkdir()
    for name in names:
        path = get_testdata_file(name, download=False)
        assert isinstance(path, str), name
        (folder / name).write_bytes(Path(path).read_bytes())
    same(server, folder)


@pytest.mark.parametrize("number", [10, pytest.param(250, marks=pytest.mark.slow)])
def test_mutants_of_dicom(server: Server, tmp_path: Path, number: int) -> None:
    """I7: a file of a series changed at a time; half of a single image."""
    write_dicom_head(tmp_path / "series")
    paths = sorted((tmp_path / "series").rglob("*.dcm"))[:12]
    chance, folder = random.Random(4), tmp_path / "files"
    for n in range(number // 2):
        for path in paths:
            place = folder / f"s{n:03}" / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
        (damaged,) = flipped(paths[0].read_bytes(), 1, 128, 1500, n)
        (folder / f"s{n:03}" / paths[0].name).write_bytes(damaged)
    single = Path(str(get_testdata_file("MR_small.dcm"))).read_bytes()
    singles = flipped(single, number // 2, 128, len(single), chance.randrange(1000))
    cases(folder, singles, "image.dcm")
    same(server, folder)


def test_images_that_claim_too_much(server: Server, tmp_path: Path) -> None:
    """I8: a deflated bomb, and pictures of 20,000 by 20,000, packed and not."""
    from pydicom import dcmread

    folder = tmp_path / "files"
    folder.mkdir()
    for number, name in enumerate(
        ("MR_small_RLE.dcm", "MR_small.dcm", "MR_small_jp2klossless.dcm")
    ):
        one = dcmread(str(get_testdata_file(name)))
        one.Rows = one.Columns = 20_000
        one.save_as(folder / f"{number}.dcm")
    many = dcmread(str(get_testdata_file("MR_small_RLE.dcm")))
    many.NumberOfFrames = 200_000
    many.save_as(folder / "frames.dcm")
    path = str(get_testdata_file("image_dfl.dcm"))
    deflated = dcmread(path)
    deflated.add_new(0x00091001, "OB", bytes(300_000_000))
    deflated.save_as(folder / "bomb.dcm")
    assert (folder / "bomb.dcm").stat().st_size < 1_000_000
    same(server, folder)


@pytest.mark.parametrize("kind", ["stream", "header", "archive"])
def test_a_segmentation_fails_with_the_reason_of_the_command(
    server: Server, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gliomask.workflows.predict import PredictOptions, predict_files

    folder = write_head(tmp_path / "scans", "case1", head_volume())
    if kind == "archive":
        folder = packed(tmp_path / "a.zip", HOSTILE["up"][0])
    else:
        path = folder / "case1-t2f.nii.gz"
        voxels = np.ones((4, 4, 4), np.float32)
        write_nifti(path, voxels, np.eye(4))
        raw = path.read_bytes()
        path.write_bytes(raw[:-30] if kind == "stream" else gzip.compress(content(**LIES["huge"])))
    options = PredictOptions.model_validate({"inputs": (folder,), "out": tmp_path / "out"})
    with pytest.raises(GliomaskError) as refused:
        predict_files(options)
    job = server.ended(server.submit(uploaded(server, folder)))
    assert job["state"] == "failed"
    assert job["error"]["text"].splitlines()[0] == shortened(str(refused.value), folder)
    assert job["error"]["code"] not in ("bug", "worker", "machine")
