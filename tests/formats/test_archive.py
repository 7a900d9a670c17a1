"""Archives, honest and hostile. What is hostile leaves nothing behind, inside or outside."""

from __future__ import annotations

import io
import random
import stat
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from gliomask.errors import FormatError, GliomaskError
from gliomask.formats import archive as archives
from gliomask.formats import archive_rules
from gliomask.formats.archive import all_unpacked, extract, is_archive, unpacked
from gliomask.formats.limits import MAX_ARCHIVE_ENTRIES

Fill = Callable[[ZipFile], None]


def packed(path: Path, fill: Fill) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of duplicate names
        with ZipFile(path, "w", ZIP_DEFLATED) as members:
            fill(members)
    return path


def named(*names: str) -> Fill:
    def fill(members: ZipFile) -> None:
        for name in names:
            members.writestr(ZipInfo(name), b"content of " + name.encode())

    return fill


def of_kind(mode: int) -> Fill:
    def fill(members: ZipFile) -> None:
        info = ZipInfo("odd")
        info.external_attr = mode << 16
        members.writestr(info, "/etc/passwd")

    return fill


def bomb(members: ZipFile) -> None:
    members.writestr("zeros", bytes(30_000_000), ZIP_DEFLATED)


def nested(members: ZipFile) -> None:
    inner = io.BytesIO()
    with ZipFile(inner, "w") as archive:
        archive.writestr("a", "b")
    members.writestr("innocent.dcm", inner.getvalue())


def other_method(members: ZipFile) -> None:
    members.writestr("a", b"x" * 100, ZIP_BZIP2)


def crowd(members: ZipFile) -> None:
    named(*(f"{n}" for n in range(MAX_ARCHIVE_ENTRIES + 1)))(members)


HOSTILE: dict[str, tuple[Fill, str]] = {
    "up": (named("../outside"), "below the root"),
    "up within": (named("a/../../outside"), "below the root"),
    "absolute": (named("/outside"), "below the root"),
    "here": (named("./a"), "below the root"),
    "empty part": (named("a//b"), "below the root"),
    "drive": (named("C:outside"), "no backslash or colon"),
    "backslash": (named("..\\outside"), "no backslash or colon"),
    "line break": (named("a\nb"), "a name that isn't allowed"),
    "escape": (named("a\x1b[2Jb"), "a name that isn't allowed"),
    "long name": (named("n" * 300), "255 bytes a name"),
    "long in bytes": (named("é" * 130), "255 bytes a name"),
    "deep": (named("/".join("d" * 40)), "32 folders deep"),
    "twice": (named("a", "a"), "a name occurs twice (name=a)"),
    "case twins": (named("a/B", "A/b"), "a name occurs twice"),
    "accents": (named("e\u0301", "\u00e9"), "a name occurs twice"),
    "file and folder": (named("a", "a/b"), "a file and a folder of one name (name=a)"),
    "link": (of_kind(stat.S_IFLNK | 0o777), "a link or device (name=odd)"),
    "device": (of_kind(stat.S_IFCHR), "a link or device"),
    "pipe": (of_kind(stat.S_IFIFO), "a link or device"),
    "bomb": (bomb, "decompresses too far (ratio="),
    "nested": (nested, "an archive in the archive (name=innocent.dcm)"),
    "nested by name": (named("inner.zip"), "an archive in the archive"),
    "another method": (other_method, "a compression that isn't read (method=12"),
    "a crowd": (crowd, "too many files (entries=20001, allowed up to 20000)"),
}


def refusal(path: Path, tmp_path: Path) -> str:
    """The reason, after a look whether anything was left behind."""
    outside, before = tmp_path / "out", sorted(tmp_path.iterdir())
    outside.mkdir()
    target = outside / "in"
    target.mkdir()
    with pytest.raises(FormatError) as caught:
        extract(path, target)
    assert list(outside.rglob("*")) == [target]
    assert sorted(p for p in tmp_path.iterdir() if p != outside) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str, tmp_path: Path) -> None:
    fill, reason = HOSTILE[name]
    assert reason in refusal(packed(tmp_path / "a.zip", fill), tmp_path)


def test_members_that_share_their_bytes(tmp_path: Path) -> None:
    """A directory in which many members point at the same compressed bytes."""
    path = packed(tmp_path / "a.zip", named("a"))
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    entry, end = content[start : content.index(b"PK\x05\x06")], content[-22:]
    other = entry.replace(b"a", b"b")
    directory = entry + other
    fields = list(struct.unpack("<4s4H2IH", end))
    fields[3] = fields[4] = 2
    fields[5] = len(directory)
    path.write_bytes(content[:start] + directory + struct.pack("<4s4H2IH", *fields))
    assert "members overlap" in refusal(path, tmp_path)


def test_a_member_quoted_by_another(tmp_path: Path) -> None:
    """The first member's bytes contain the whole second one, as in quoted-overlap bombs."""
    path = packed(tmp_path / "a.zip", lambda z: z.writestr(ZipInfo("b"), b"y" * 50))
    inner = path.read_bytes()
    local = inner[: inner.index(b"PK\x01\x02")]
    outer_local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 33,
                              zlib.crc32(local), len(local), len(local), 1, 0) + b"a"  # fmt: skip

    def entry(name: bytes, crc: int, size: int, offset: int) -> bytes:
        fields = (b"PK\x01\x02", 20, 20, 0, 0, 0, 33, crc, size, size, 1, 0, 0, 0, 0, 0, offset)
        return struct.pack("<4s6H3I5H2I", *fields) + name

    directory = entry(b"a", zlib.crc32(local), len(local), 0)
    directory += entry(b"b", zlib.crc32(b"y" * 50), 50, len(outer_local))
    start = len(outer_local) + len(local)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), start, 0)
    path.write_bytes(outer_local + local + directory + end)
    assert zipfile.is_zipfile(path)
    assert "members overlap (name=b)" in refusal(path, tmp_path)


def test_a_size_that_is_a_lie(tmp_path: Path) -> None:
    """The directory says 10 bytes, the stream holds more."""
    path = packed(tmp_path / "a.zip", lambda z: z.writestr("a", b"x" * 1000))
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", 1000), struct.pack("<I", 10)))
    assert "a damaged archive" in refusal(path, tmp_path)


def test_a_wrong_checksum_deletes_what_came_before(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", named("a", "folder/b"))
    content = bytearray(path.read_bytes())
    content[content.index(b"content of folder/b")] ^= 1
    path.write_bytes(content)
    assert "a damaged archive: Bad CRC-32" in refusal(path, tmp_path)


def test_encrypted(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", named("a"))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "encrypted (name=a)" in refusal(path, tmp_path)


def test_a_name_with_a_hidden_end(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", named("a.dcmXexe"))
    path.write_bytes(path.read_bytes().replace(b"a.dcmXexe", b"a.dcm\0exe"))
    assert "a name that isn't allowed" in refusal(path, tmp_path)


def test_zip64_and_several_parts(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", named("a"))
    content = path.read_bytes()
    path.write_bytes(content[:-22] + b"PK\x06\x07" + bytes(16) + content[-22:])
    assert "a zip64 archive" in refusal(path, tmp_path)
    path.write_bytes(content[:-18] + b"\1\0" + content[-16:])
    (tmp_path / "second").mkdir()
    with pytest.raises(FormatError, match="several parts"):
        extract(path, tmp_path / "second")


@pytest.mark.parametrize("cut", [0, 3, 10, 60, -1, -21])
def test_truncated(cut: int, tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", named("a"))
    path.write_bytes(path.read_bytes()[:cut])
    assert "not a zip archive, or truncated" in refusal(path, tmp_path)


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_rules, "MAX_ARCHIVE_BYTES", 20)
    path = packed(tmp_path / "a.zip", named("a", "b"))
    assert "too large unpacked (bytes=24, allowed up to 20)" in refusal(path, tmp_path)


def test_what_is_written_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ARCHIVE_BYTES", 20)
    path = packed(tmp_path / "a.zip", named("a", "b"))
    assert "longer than declared (name=b)" in refusal(path, tmp_path)


def test_an_honest_archive(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "a.zip", named("top.txt", "folder/", "folder/b c.dcm", "Ärzte/ü.nii.gz")
    )
    assert is_archive(path)
    with unpacked(path) as folder:
        files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
        assert sorted(files) == ["folder/b c.dcm", "top.txt", "Ärzte/ü.nii.gz"]
        assert files["top.txt"].read_bytes() == b"content of top.txt"
        assert not files["top.txt"].stat().st_mode & 0o111
    assert not folder.parent.exists()


def test_the_folder_goes_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = packed(tmp_path / "a.zip", named("a"))
    with pytest.raises(RuntimeError), unpacked(path):
        raise RuntimeError
    bad = packed(tmp_path / "b.zip", nested)
    with pytest.raises(FormatError), unpacked(bad):
        pass
    assert not list((tmp_path / "temporary").iterdir())


def test_archives_among_other_inputs(tmp_path: Path) -> None:
    path = packed(tmp_path / "one two.zip", named("a.dcm"))
    other = tmp_path / "scan.nii.gz"
    with all_unpacked([other, path, tmp_path]) as inputs:
        assert inputs[0] == other
        assert inputs[2] == tmp_path
        assert inputs[1].name == "one_two"
        assert [file.name for file in inputs[1].iterdir()] == ["a.dcm"]
    assert not inputs[1].exists()


def test_a_folder_is_given_as_it_is(tmp_path: Path) -> None:
    with unpacked(tmp_path) as folder:
        assert folder == tmp_path
    assert tmp_path.is_dir()
    assert not is_archive(tmp_path)
    assert not is_archive(tmp_path / "absent")


def test_mutants_are_answered_in_one_line(tmp_path: Path) -> None:
    """Damage anywhere: unpacked as it was, or refused."""
    original = packed(tmp_path / "a.zip", named("a", "folder/b")).read_bytes()
    mutate, path = random.Random(3), tmp_path / "b.zip"
    refused = 0
    for n in range(200):
        content = bytearray(original)
        content[mutate.randrange(len(content))] = mutate.randrange(256)
        path.write_bytes(content)
        folder = tmp_path / f"{n}"
        folder.mkdir()
        try:
            extract(path, folder)
        except GliomaskError as problem:
            refused += 1
            assert "\n" not in str(problem)  # noqa: PT017
            assert not list(folder.iterdir())
    assert refused > 50
