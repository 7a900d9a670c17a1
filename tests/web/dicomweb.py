"""A DICOMweb server for a folder of files, with OHIF beside it, for tests: as much as OHIF asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
import uvicorn
from pydicom import Dataset
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

_BOUNDARY = "frame"
_ROOT = "/dicomweb"
_STUDY = ("StudyInstanceUID", "StudyDate", "StudyTime", "PatientID", "PatientName", "StudyID")
_SERIES = (*_STUDY, "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality")
_INSTANCE = (*_SERIES, "SOPInstanceUID", "SOPClassUID", "InstanceNumber", "Rows", "Columns")
CONFIG = """
window.config = {
  routerBasename: 'BASE', showStudyList: true, extensions: [], modes: [],
  showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false,
  showLoadingIndicator: true, strictZSpacingForVolumeViewport: false,
  useSharedArrayBuffer: 'FALSE', maxNumberOfWebWorkers: 1,
  investigationalUseDialog: { option: 'never' },
  defaultDataSourceName: 'dicomweb',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
    sourceName: 'dicomweb',
    configuration: {
      friendlyName: 'tests', name: 'tests', wadoUriRoot: '/wado', qidoRoot: '/dicomweb',
      wadoRoot: '/dicomweb', qidoSupportsIncludeField: false, imageRendering: 'wadors',
      thumbnailRendering: 'wadors', enableStudyLazyLoad: true, supportsFuzzyMatching: false,
      supportsWildcard: false, bulkDataURI: { enabled: false },
    },
  }],
};
"""


class Archive:
    """The files of a folder.

    Args:
        folder: with them; ohif: the built OHIF that is served beside them.
        base: of the addresses of its pages, as it was built for.
    """

    def __init__(self, folder: Path, ohif: Path, base: str) -> None:
        self._ohif, self._base = ohif, base
        self._all: dict[str, tuple[Path, Dataset]] = {}
        for path in sorted(folder.rglob("*.dcm")):
            dataset = pydicom.dcmread(path)
            self._all[str(dataset.SOPInstanceUID)] = (path, dataset)

    def app(self) -> Starlette:
        """The application."""
        instance = f"{_ROOT}/studies/{{study}}/series/{{series}}/instances/{{instance}}"
        return Starlette(
            routes=[
                Route(f"{_ROOT}/studies", self.studies),
                Route(f"{_ROOT}/studies/{{study}}/series", self.series),
                Route(f"{_ROOT}/studies/{{study}}/metadata", self.metadata),
                Route(f"{_ROOT}/studies/{{study}}/series/{{series}}/metadata", self.metadata),
                Route(f"{_ROOT}/studies/{{study}}/series/{{series}}/instances", self.instances),
                Route(f"{_ROOT}/studies/{{study}}/instances", self.instances),
                Route(instance, self.whole),
                Route(f"{instance}/frames/{{frame:int}}", self.frame),
                Route("/wado", self.by_uri),
                Route("/{path:path}", self.page),
            ]
        )

    def _of(self, request: Request) -> list[Dataset]:
        wanted = {**request.query_params, **request.path_params}
        study = wanted.get("study") or wanted.get("StudyInstanceUID")
        series = wanted.get("series") or wanted.get("SeriesInstanceUID")
        return [
            one
            for _, one in self._all.values()
            if study in (None, one.StudyInstanceUID) and series in (None, one.SeriesInstanceUID)
        ]

    def studies(self, request: Request) -> Response:
        found = {one.StudyInstanceUID: one for one in self._of(request)}
        return _listed([_some(one, _STUDY) for one in found.values()])

    def series(self, request: Request) -> Response:
        found = {one.SeriesInstanceUID: one for one in self._of(request)}
        return _listed([_some(one, _SERIES) for one in found.values()])

    def instances(self, request: Request) -> Response:
        return _listed([_some(one, _INSTANCE) for one in self._of(request)])

    def metadata(self, request: Request) -> Response:
        return _listed([_plain(one) for one in self._of(request)])

    def frame(self, request: Request) -> Response:
        _, one = self._all[request.path_params["instance"]]
        frames = int(one.get("NumberOfFrames", 1))
        size, number = len(one.PixelData) // frames, request.path_params["frame"] - 1
        return _part(one.PixelData[number * size : (number + 1) * size], "application/octet-stream")

    def whole(self, request: Request) -> Response:
        path, _ = self._all[request.path_params["instance"]]
        return _part(path.read_bytes(), "application/dicom")

    def by_uri(self, request: Request) -> Response:
        path, _ = self._all[request.query_params["objectUID"]]
        return FileResponse(path, media_type="application/dicom")

    def page(self, request: Request) -> Response:
        asked = request.path_params["path"].removeprefix(self._base.lstrip("/"))
        if asked == "app-config.js":
            return Response(CONFIG.replace("BASE", self._base), media_type="text/javascript")
        path = (self._ohif / asked).resolve()
        inside = path.is_relative_to(self._ohif.resolve()) and path.is_file()
        if inside and asked != "index.html":
            return FileResponse(path)
        if "." in asked.rpartition("/")[2]:
            return Response(status_code=404)
        return FileResponse(self._ohif / "index.html")


@contextmanager
def archive(folder: Path, ohif: Path, base: str = "/") -> Iterator[str]:
    """A running archive; the address of its OHIF."""
    app = Archive(folder, ohif, base).app()
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    door = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}{base}"
    finally:
        server.should_exit = True
        thread.join()
        door.close()


def _listed(rows: list[dict[str, Any]]) -> Response:
    return JSONResponse(rows, media_type="application/dicom+json")


def _some(one: Dataset, keywords: tuple[str, ...]) -> dict[str, Any]:
    few = Dataset()
    for keyword in keywords:
        if keyword in one:
            few[keyword] = one[keyword]
    return few.to_json_dict()


def _plain(one: Dataset) -> dict[str, Any]:
    told: dict[str, Any] = one.to_json_dict(10**9, lambda _element: "")
    told.pop("7FE00010", None)
    syntax = str(one.file_meta.TransferSyntaxUID)
    told["00083002"] = {"vr": "UI", "Value": [syntax]}
    return told


def _part(content: bytes, kind: str) -> Response:
    head = f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n".encode()
    body = head + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return Response(body, media_type=f'multipart/related; type="{kind}"; boundary={_BOUNDARY}')
