"""Forms with files (multipart/form-data): received straight into an upload, and sent."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from anyio.to_thread import run_sync
from fastapi import Request, Response
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from gliomask.web.problems import Problem
from gliomask.web.uploads import Incoming, Upload, UploadedFile, Uploads

MAX_FIELDS: Final = 20
MAX_FIELD_BYTES: Final = 2**20
Naming = Callable[["Part"], str]


@dataclass
class Part:
    """A part of a form.

    Attributes:
        name: of the field; filename: that the client gave; None for a field that is no file.
        number: of the file in its form.
    """

    name: str
    filename: str | None
    number: int = 0
    content: bytearray = field(default_factory=bytearray)

    @property
    def base(self) -> str:
        """The name of the file without folders: clients send whole paths of their own disk."""
        return (self.filename or "").replace("\\", "/").rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """Suffix of the file name, in lower case."""
        name = self.base.lower()
        packed = ".gz" if name.endswith(".gz") else ""
        bare, dot, end = name.removesuffix(packed).rpartition(".")
        return f".{end}{packed}" if dot and bare else packed


@dataclass(frozen=True)
class Form:
    """A received form.

    Attributes:
        fields: name -> text; files: name of the field and the file, in their order.
    """

    fields: Mapping[str, str]
    files: tuple[tuple[Part, UploadedFile], ...]


async def receive(
    request: Request, uploads: Uploads, upload: Upload, naming: Naming, first: int = 0
) -> Form:
    """Receives a form; its files become a part of an upload, none is kept in memory.

    Args:
        request: with the form; uploads, upload: where its files go.
        naming: what each file is called there; first: number of the first file there.

    Raises:
        Problem: no form, a damaged one, too many fields; and see ``Uploads``.
    """
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    boundary = parameters.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise Problem(422, "a body of multipart/form-data is needed")
    receiving = _Receiving(uploads, upload, naming, boundary, first)
    try:
        async for chunk in request.stream():
            await run_sync(receiving.take, chunk)
        return await run_sync(receiving.finish)
    except FormParserError:
        raise Problem(422, "the body is not multipart/form-data as it should be") from None
    except ClientDisconnect:
        raise Problem(400, "the connection ended before the form did") from None
    finally:
        receiving.discard()


def reply(parts: Mapping[str, tuple[str | None, str, bytes]]) -> Response:
    """An answer of several parts.

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

    def __init__(
        self, uploads: Uploads, upload: Upload, naming: Naming, boundary: bytes, first: int
    ) -> None:
        self._uploads, self._upload, self._naming, self._first = uploads, upload, naming, first
        self._said: deque[tuple[str, Any]] = deque()
        self._header = b""
        self._value = b""
        self._part: Part | None = None
        self._incoming: Incoming | None = None
        self._fields: dict[str, str] = {}
        self._files: list[tuple[Part, UploadedFile]] = []
        self._parser = MultipartParser(boundary, self._callbacks())

    def take(self, chunk: bytes) -> None:
        """Takes the next bytes of the body."""
        self._parser.write(chunk)
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
        if name is None or len(self._fields) >= MAX_FIELDS:
            raise Problem(422, f"a form of up to {MAX_FIELDS} fields, each with a name")
        text = None if filename is None else filename.decode("utf-8", "replace")
        self._part = Part(name.decode("utf-8", "replace"), text, len(self._files))
        if text is not None:
            called = self._naming(self._part)
            self._incoming = self._uploads.begin(self._upload.id, called, None)

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
            name, number = self._naming(part), self._first + part.number
            file = self._uploads.finish(self._upload.id, number, name, incoming)
            self._files.append((part, file))
        self._part = self._incoming = None
