"""Forms with files (multipart/form-data): received straight into an upload, and sent."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request, Response
from pydantic_core import from_json
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from gliomask.web.incoming import Incoming
from gliomask.web.problems import Problem
from gliomask.web.uploads import Upload, UploadedFile, Uploads

MAX_FIELDS: Final = 20
MAX_FIELD_BYTES: Final = 2**16
_PIECE: Final = 2**16
_NEEDED: Final = "a body of multipart/form-data is needed"
Naming = Callable[["Part"], str]


@dataclass
class Part:
    """A part of a form.

    Attributes:
        name: of the field.
        filename: file name given by the client; None for a field that is not a file.
        number: of the file in its form.
    """

    name: str
    filename: str | None
    number: int = 0
    content: bytearray = field(default_factory=bytearray)

    @property
    def base(self) -> str:
        """The name of the file without folders: clients send whole paths of their disk."""
        return (self.filename or "").replace("\\", "/").rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """Suffix of the file name, in lower case."""
        return suffix_of(self.base)


@dataclass(frozen=True)
class Form:
    """A received form.

    Attributes:
        fields: name -> text.
        files: name of the field and the file, in their order.
    """

    fields: Mapping[str, str]
    files: tuple[tuple[Part, UploadedFile], ...]


@dataclass(frozen=True)
class Files:
    """Files that a form may contain.

    Attributes:
        fields: name of a field -> number of files in it; there are no other fields with files.
        naming: name of each file in the upload.
    """

    fields: Mapping[str, int]
    naming: Naming


async def receive(request: Request, uploads: Uploads, upload: Upload, files: Files) -> Form:
    """Receives a form; its files become a part of an upload, none is kept in memory.

    Args:
        request: with the form.
        uploads, upload: destination of its files.
        files: allowed files.

    Raises:
        Problem: no form, a damaged one, too many fields or files; and see ``Uploads``.
    """
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    boundary = parameters.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise Problem(422, _NEEDED)
    receiving = _Receiving(uploads, upload, boundary, files)
    try:
        await uploads.turns.take(request, receiving.take)
        return await uploads.turns.run(receiving.finish)
    except FormParserError:
        raise Problem(422, "the body is not multipart/form-data as it should be") from None
    except ClientDisconnect:
        raise Problem(400, "the connection ended before the form did") from None
    finally:
        receiving.discard()


def suffix_of(name: str) -> str:
    """The suffix of a file name, in lower case; with ``.gz`` the one before it too."""
    name = name.lower()
    packed = ".gz" if name.endswith(".gz") else ""
    bare, dot, end = name.removesuffix(packed).rpartition(".")
    return f".{end}{packed}" if dot and bare else packed


async def plain_fields(request: Request) -> dict[str, str]:
    """The fields of a form without files (application/x-www-form-urlencoded).

    Raises:
        Problem: too many fields.
    """
    try:
        text = (await request.body()).decode("utf-8", "replace")
        return dict(parse_qsl(text, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Problem(422, f"a form of up to {MAX_FIELDS} fields is needed") from None


def json_object(text: str | None) -> dict[str, Any]:
    """The JSON object in a field of a form; empty where the field is empty or missing.

    What JSON can't express in a response either (NaN, half a surrogate pair) is refused.

    Raises:
        Problem: it is something else.
    """
    try:
        content = from_json(text or "{}", allow_inf_nan=False)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Problem(422, "params: allowed a JSON object")
    return content


def reply(parts: Mapping[str, tuple[str | None, str, bytes]]) -> Response:
    """A response of several parts.

    Args:
        parts: name -> file name (None for none), media type, content.
    """
    boundary = secrets.token_hex(16)
    body = bytearray()
    for name, (filename, kind, content) in parts.items():
        called = "" if filename is None else f'; filename="{filename}"'
        head = f'Content-Disposition: form-data; name="{name}"{called}\r\nContent-Type: {kind}'
        body += f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return Response(bytes(body), media_type=f"multipart/form-data; boundary={boundary}")


class _Receiving:
    """Events of the parser, processed in a thread, because it writes files."""

    def __init__(self, uploads: Uploads, upload: Upload, boundary: bytes, allowed: Files) -> None:
        self._uploads, self._upload, self._allowed = uploads, upload, allowed
        self._left = dict(allowed.fields)
        self._said: deque[tuple[str, Any]] = deque()
        self._header = b""
        self._value = b""
        self._part: Part | None = None
        self._incoming: Incoming | None = None
        self._fields: dict[str, str] = {}
        self._files: list[tuple[Part, UploadedFile]] = []
        self._parser = MultipartParser(boundary, self._callbacks())

    def take(self, chunk: bytes) -> None:
        """Takes the next bytes of the body, in pieces: what is refused is parsed no further."""
        for start in range(0, len(chunk), _PIECE):
            self._parser.write(chunk[start : start + _PIECE])
            while self._said:
                what, value = self._said.popleft()
                getattr(self, f"_{what}")(value)

    def finish(self) -> Form:
        """The whole form."""
        self._parser.finalize()
        return Form(self._fields, tuple(self._files))

    def discard(self) -> None:
        """Removes a file that isn't whole."""
        if self._incoming is not None:
            self._incoming.discard()

    def _callbacks(self) -> Any:
        return {
            "on_header_field": lambda data, start, end: self._grow("_header", data[start:end]),
            "on_header_value": lambda data, start, end: self._grow("_value", data[start:end]),
            "on_header_end": self._end_header,
            "on_part_data": lambda data, start, end: self._said.append(("data", data[start:end])),
            "on_part_end": lambda: self._said.append(("end", None)),
        }

    def _grow(self, which: str, more: bytes) -> None:
        setattr(self, which, getattr(self, which) + more)

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._said.append(("begin", self._value))
        self._header = self._value = b""

    def _begin(self, disposition: bytes) -> None:
        _, options = parse_options_header(disposition)
        name, filename = options.get(b"name"), options.get(b"filename")
        if name is None or self._part is not None:
            raise Problem(422, "each part of a form has one Content-Disposition with a name")
        text = None if filename is None else filename.decode("utf-8", "replace")
        part = self._part = Part(name.decode("utf-8", "replace"), text, len(self._files))
        if text is None:
            self._check_field(part.name)
            return
        called = self._allowed.naming(part)
        self._count(part.name)
        self._incoming = self._uploads.begin(self._upload.id, called, None)

    def _check_field(self, name: str) -> None:
        if name in self._fields or len(self._fields) >= MAX_FIELDS:
            raise Problem(422, f"a form of up to {MAX_FIELDS} fields, each of another name")

    def _count(self, name: str) -> None:
        fields = self._allowed.fields
        if not self._left.get(name):
            text = ", ".join(f"{field} ({most})" for field, most in fields.items())
            hint = "; send more files as a zip archive" if max(fields.values()) > 1 else ""
            raise Problem(422, f"a form with more or other files than allowed: {text}{hint}")
        self._left[name] -= 1

    def _data(self, chunk: bytes) -> None:
        if self._part is None:
            raise Problem(422, "a part of a form without a name")
        if self._incoming is not None:
            self._incoming.write(chunk)
            return
        self._part.content += chunk
        if len(self._part.content) > MAX_FIELD_BYTES:
            raise Problem(413, f"a field of a form has at most {MAX_FIELD_BYTES} bytes")

    def _end(self, _nothing: None) -> None:
        part, incoming = self._part, self._incoming
        if part is None:
            raise Problem(422, "a part of a form without a name")
        if incoming is None:
            self._fields[part.name] = part.content.decode("utf-8", "replace")
        else:
            name = self._allowed.naming(part)
            file = self._uploads.finish(self._upload.id, part.number, name, incoming)
            self._files.append((part, file))
        self._part = self._incoming = None
