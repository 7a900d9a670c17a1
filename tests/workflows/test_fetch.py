"""``fetch`` against a stand-in for IDC: an index of a few rows, and a program that copies."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from gliomask.errors import BatchError, ConfigError, FormatError, MachineError
from gliomask.studies import idc
from gliomask.studies.s5cmd import error_of
from gliomask.workflows.fetch import FetchOptions, FetchResult, fetch
from tests.commands import run as command
from tests.formats.dicom.made import pixels, save, series
from tests.studies.test_dicom_study import FLAIR, PLAN

PROGRAM = """#!{python}
import os, pathlib, shlex, shutil, sys
bucket = pathlib.Path({bucket!r})
with open(bucket / "calls", "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
failed = False
if (bucket / "offline").exists():  # as the program does, also with its exit code
    why = "dial tcp: lookup s3.amazonaws.com on 10.0.0.1:53: no such host"
    print("ERROR session: fetching region failed: RequestError", file=sys.stderr)
    print("caused by: " + why, file=sys.stderr)
    for line in sys.stdin:
        request = 'RequestError: send request failed caused by: Get "https://s3.amazonaws.com/x": '
        print(f'ERROR "{{line.strip()}}": {{request}}{{why}}', file=sys.stderr)
    sys.exit(0)
for line in sys.stdin:
    verb, url, folder = shlex.split(line)
    assert verb == "sync" and url.startswith("s3://idc-open-data/") and url.endswith("/*")
    source = bucket / url.split("/")[3]
    if not source.is_dir():
        print(f'ERROR "sync {{url}} {{folder}}": no such key', file=sys.stderr)
        failed = True
        continue
    for path in source.iterdir():
        target = pathlib.Path(folder) / path.name
        if not target.exists():
            shutil.copy(path, target)
            with open(bucket / "copied", "a") as copied:
                copied.write(path.name + "\\n")
sys.exit(failed)
"""


def identifier(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three patients with a FLAIR each, and a segmentation of the first."""
    made = tmp_path / "bucket"
    rows = []
    for number in (1, 2, 3, 4):
        folder = made / identifier(number)
        tags = {**FLAIR, "PatientID": f"P{number}"}
        save(folder, series(PLAN, pixels(PLAN, number), number, **tags))
        rows.append(row(folder, number))
    monkeypatch.setattr(idc, "read_rows", lambda name: rows if name == "upenn_gbm" else [])
    monkeypatch.setattr(idc, "read_collections", lambda: ("tcga_gbm", "upenn_gbm"))
    monkeypatch.setattr(idc, "index_version", lambda: "25.0.5")
    monkeypatch.setattr("gliomask.workflows.fetch.index_version", lambda: "25.0.5")
    program = tmp_path / "bin" / "s5cmd"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=sys.executable, bucket=str(made)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}")
    return made


def row(folder: Path, number: int) -> dict[str, Any]:
    files = list(folder.iterdir())
    patient = 1 if number == 4 else number
    return {
        "PatientID": f"UPENN-GBM-{patient:05d}",
        "StudyInstanceUID": f"1.2.{patient}",
        "SeriesInstanceUID": f"1.2.{patient}.{number}",
        "Modality": "SEG" if number == 4 else "MR",
        "SeriesDescription": None if number == 4 else "Ax FLAIR",
        "instanceCount": len(files),
        "series_size_MB": sum(path.stat().st_size for path in files) / 1e6,
        "license_short_name": "CC BY 4.0",
        "source_DOI": "10.7937/tcia.709x-dn49",
        "series_aws_url": f"s3://idc-open-data/{identifier(number)}/*",
    }


def fetched(out: Path, **how: Any) -> FetchResult:
    return fetch(FetchOptions.model_validate({"source": "idc:upenn_gbm", "out": out, **how}))


def copied(bucket: Path) -> int:
    log = bucket / "copied"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_dry_run_says_what_it_would_be(bucket: Path, tmp_path: Path) -> None:
    result = fetched(tmp_path / "out", patients=2, dry_run=True)
    assert (result.patients, result.series, result.fetched, result.there) == (2, 2, 0, 0)
    assert result.licences == {"CC BY 4.0": 2}
    assert result.cite == ("https://doi.org/10.7937/tcia.709x-dn49",)
    sizes = [p.stat().st_size for k in (1, 2) for p in (bucket / identifier(k)).iterdir()]
    assert (result.files, result.size) == (len(sizes), sum(sizes))
    assert not (tmp_path / "out").exists()
    assert not (bucket / "calls").exists()


def test_what_is_fetched_goes_on_to_inspect(
    bucket: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert command(monkeypatch, "fetch", "idc:upenn_gbm", "--patients", "2", "--out", out) == 0
    shown = capsys.readouterr().out
    assert "licence: CC BY 4.0 (2 series)" in shown
    assert f"continue with: gliomask inspect {out}" in shown
    calls = (bucket / "calls").read_text().splitlines()
    assert calls == ["--no-sign-request --endpoint-url https://s3.amazonaws.com run"] * 2
    said = json.loads((out / "sources.json").read_text())
    assert [one["patient"] for one in said["series"]] == ["UPENN-GBM-00001", "UPENN-GBM-00002"]
    assert command(monkeypatch, "inspect", out, "--json") == 0
    assert "flair" in capsys.readouterr().out


def test_a_second_run_fetches_what_is_missing(bucket: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetched(out)
    whole = copied(bucket)
    lost = next((out / "UPENN-GBM-00002" / "1.2.2" / "1.2.2.2").iterdir())
    lost.unlink()
    result = fetched(out)
    assert (result.there, result.fetched) == (2, 1)
    assert copied(bucket) == whole + 1
    assert lost.exists()
    assert fetched(out).there == 3
    assert len((bucket / "calls").read_text().splitlines()) == 4


def test_other_modalities(bucket: Path, tmp_path: Path) -> None:
    assert fetched(tmp_path / "out", modalities=("MR", "SEG"), dry_run=True).series == 4
    with pytest.raises(ConfigError, match=r"modalities=CT, allowed MR, SEG"):
        fetched(tmp_path / "out", modalities=("CT",))


def test_a_series_that_can_not_be_had(bucket: Path, tmp_path: Path) -> None:
    (bucket / identifier(2)).rename(bucket / "away")
    with pytest.raises(BatchError) as caught:
        fetched(tmp_path / "out")
    ((case, reason),) = caught.value.failures
    assert case == "UPENN-GBM-00002 1.2.2.2"
    assert reason.startswith("0 of 6")
    assert reason.endswith(" files; no such key")
    assert isinstance(caught.value.result, FetchResult)
    assert caught.value.result.fetched == 2
    with pytest.raises(MachineError, match="nothing was downloaded: 0 of"):
        fetched(tmp_path / "out")


def test_without_a_network_the_first_patient_says_so(
    bucket: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    (bucket / "offline").touch()
    assert command(monkeypatch, "fetch", "idc:upenn_gbm", "--out", out) == 4
    shown = capsys.readouterr().err
    assert "error: https://s3.amazonaws.com: the server can't be reached: dial tcp: lookup" in shown
    assert "no such host; check the network, then use the same command again" in shown
    assert len((bucket / "calls").read_text().splitlines()) == 1
    (bucket / "offline").unlink()
    assert fetched(out).fetched == 3


@pytest.mark.parametrize(
    ("output", "code", "reason"),
    [
        ("", 0, ""),
        ("", 7, "s5cmd ended with 7"),
        ("warning: slow\n", 0, ""),
        ("out of memory\n", 2, "out of memory"),
        ('ERROR "sync s3://a/* b/": AccessDenied: no\n', 0, "AccessDenied: no"),
        ('ERROR "sync s3://a/* b/": no such key\nlater\n', 1, "no such key"),
    ],
)
def test_the_reason_is_that_of_the_last_error_whatever_the_exit_code(
    output: str, code: int, reason: str
) -> None:
    assert error_of(output, code) == reason


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("StudyInstanceUID", "../../etc"),
        ("SeriesInstanceUID", "1" * 65),
        ("series_aws_url", "s3://idc-open-data/x/* /etc"),
        ("series_aws_url", "s3://another/00000001-0000-4000-8000-000000000000/*"),
    ],
)
def test_an_entry_that_is_no_path_is_refused(
    bucket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: str
) -> None:
    odd = {**row(bucket / identifier(1), 1), field: value}
    monkeypatch.setattr(idc, "read_rows", lambda _: [odd])
    with pytest.raises(FormatError, match="in the index of IDC"):
        fetched(tmp_path / "out")


def test_what_is_wrong_is_said(
    bucket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="did you mean 'upenn_gbm'"):
        fetch(FetchOptions(source="idc:upenn-gbm", out=tmp_path / "out"))
    with pytest.raises(ConfigError, match="`source`=tcia:x, allowed idc:NAME"):
        fetch(FetchOptions(source="tcia:x", out=tmp_path / "out"))
    huge = {**row(bucket / identifier(1), 1), "series_size_MB": 1e12}
    monkeypatch.setattr(idc, "read_rows", lambda _: [huge])
    with pytest.raises(MachineError, match="not enough free disk space"):
        fetched(tmp_path / "out")


def test_the_real_index(tmp_path: Path) -> None:
    """As IDC 25 has it: 630 patients of UPENN-GBM with MR."""
    pytest.importorskip("idc_index_data", reason="the extra idc is not installed")
    pytest.importorskip("pyarrow", reason="the extra idc is not installed")
    result = fetched(tmp_path / "out", patients=20, dry_run=True)
    assert result.patients == 20
    assert set(result.licences) == {"CC BY 4.0"}
    assert result.size > 1e9
