"""A stand-in for what the module uses of 3D Slicer, Qt and CTK; any other name is an error.

Written after their use in modules that are released (MONAIAuto3DSeg, MONAILabel).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it


class Widget:
    """A widget with these properties and signals only."""

    properties: ClassVar[dict[str, Any]] = {"enabled": True, "visible": True, "toolTip": ""}
    signals: ClassVar[tuple[str, ...]] = ()
    slots: dict[str, list[Callable[..., None]]]

    def __init__(self, *_parent: object) -> None:
        for kind in reversed(type(self).__mro__):
            for name, value in getattr(kind, "properties", {}).items():
                object.__setattr__(self, name, value)
        object.__setattr__(self, "slots", {})

    def __setattr__(self, name: str, value: Any) -> None:
        known = {key for kind in type(self).__mro__ for key in getattr(kind, "properties", {})}
        if name not in known:
            raise AttributeError(f"{type(self).__name__} has no property {name}")
        object.__setattr__(self, name, value)

    def connect(self, signal: str, slot: Callable[..., None]) -> None:
        assert signal in self.signals, signal
        self.slots.setdefault(signal, []).append(slot)

    def emit(self, signal: str, *values: object) -> None:
        for slot in self.slots.get(signal, []):
            slot(*values)


class QLineEdit(Widget):
    properties: ClassVar[dict[str, Any]] = {"text": "", "echoMode": 0}
    Password = 2


class QLabel(Widget):
    properties: ClassVar[dict[str, Any]] = {"text": "", "wordWrap": False}

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = text


class QPushButton(QLabel):
    signals = ("clicked(bool)",)

    def click(self) -> None:
        assert self.enabled  # type: ignore[attr-defined]
        self.emit("clicked(bool)", False)


class QProgressBar(Widget):
    properties: ClassVar[dict[str, Any]] = {"value": 0}


class QComboBox(Widget):
    properties: ClassVar[dict[str, Any]] = {"currentIndex": -1, "items": None}
    signals = ("currentIndexChanged(int)",)

    def clear(self) -> None:
        self.items = list[str]()
        self.currentIndex = -1
        self.emit("currentIndexChanged(int)", -1)

    def addItem(self, text: str) -> None:  # noqa: N802 (Qt's name)
        self.items.append(text)
        if self.currentIndex < 0:
            self.currentIndex = 0
            self.emit("currentIndexChanged(int)", 0)


class QTimer(Widget):
    """Ticks when a test says so."""

    properties: ClassVar[dict[str, Any]] = {"active": False, "interval": 0}
    signals = ("timeout()",)

    def setInterval(self, milliseconds: int) -> None:  # noqa: N802
        self.interval = milliseconds

    def start(self) -> None:
        self.active = True

    def stop(self) -> None:
        self.active = False


class QSettings:
    kept: ClassVar[dict[str, Any]] = {}

    def value(self, key: str) -> Any:
        return self.kept.get(key)

    def setValue(self, key: str, value: Any) -> None:  # noqa: N802
        self.kept[key] = value


class Layout:
    def __init__(self, *_parent: object) -> None:
        self.widgets: list[Any] = []

    def addWidget(self, widget: Any) -> None:  # noqa: N802
        self.widgets.append(widget)

    def addStretch(self, _share: int) -> None:  # noqa: N802
        pass

    def addRow(self, _label: str, widget: Any) -> None:  # noqa: N802
        self.widgets.append(widget)


class CollapsibleButton(Widget):
    properties: ClassVar[dict[str, Any]] = {"text": ""}


class NodeComboBox(Widget):
    properties: ClassVar[dict[str, Any]] = {
        "nodeTypes": (), "selectNodeUponCreation": True, "addEnabled": True, "renameEnabled": False,
        "noneEnabled": False, "removeEnabled": True, "node": None,
    }  # fmt: skip
    signals = ("currentNodeChanged(vtkMRMLNode*)",)

    def setMRMLScene(self, _scene: object) -> None:  # noqa: N802
        pass

    def currentNode(self) -> Any:  # noqa: N802
        return self.node

    def setCurrentNode(self, node: Any) -> None:  # noqa: N802
        self.node = node
        self.emit("currentNodeChanged(vtkMRMLNode*)", node)


@dataclass
class VolumeNode:
    """A volume in the scene.

    Attributes:
        name: of it; image: its voxels and their place.
    """

    name: str
    image: sitk.Image

    def GetName(self) -> str:  # noqa: N802
        return self.name


@dataclass
class ColourTable:
    """vtkMRMLColorTableNode."""

    colours: dict[int, tuple[float, ...]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    count: int = 0

    def SetTypeToUser(self) -> None:  # noqa: N802
        pass

    def SetName(self, _name: str) -> None:  # noqa: N802
        pass

    def GetID(self) -> int:  # noqa: N802
        return id(self)

    def SetNumberOfColors(self, count: int) -> None:  # noqa: N802
        self.count = count

    def SetColor(self, index: int, *rgba: float) -> None:  # noqa: N802
        assert index < self.count
        assert len(rgba) == 4
        self.colours[index] = rgba[:3]

    def SetColorName(self, index: int, name: str) -> None:  # noqa: N802
        self.names[index] = name


@dataclass
class Segment:
    name: str
    voxels: Any
    colour: tuple[float, ...] = ()

    def SetColor(self, *rgb: float) -> None:  # noqa: N802
        self.colour = rgb


class Segmentation:
    def __init__(self) -> None:
        self.segments: dict[str, Segment] = {"stale": Segment("stale", None)}

    def RemoveAllSegments(self) -> None:  # noqa: N802
        self.segments.clear()

    def GetSegmentIdBySegmentName(self, name: str) -> str:  # noqa: N802
        return name if name in self.segments else ""

    def GetSegment(self, segment: str) -> Segment:  # noqa: N802
        return self.segments[segment]


class SegmentationNode:
    """A node, and its storage: a label map becomes segments that are called as the table says."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.segmentation = scene, Segmentation()
        self.name, self.file, self.table = "", "", 0
        self.displayed, self.grid = False, None

    def SetName(self, name: str) -> None:  # noqa: N802
        self.name = name

    def GetSegmentation(self) -> Segmentation:  # noqa: N802
        return self.segmentation

    def SetLabelmapConversionColorTableNodeID(self, table: int) -> None:  # noqa: N802
        self.table = table

    def AddDefaultStorageNode(self) -> None:  # noqa: N802
        pass

    def GetStorageNode(self) -> SegmentationNode:  # noqa: N802
        return self

    def SetFileName(self, path: str) -> None:  # noqa: N802
        self.file = path

    def ReadData(self, node: SegmentationNode) -> bool:  # noqa: N802
        table = self.scene.nodes[self.table]
        voxels = sitk.GetArrayFromImage(sitk.ReadImage(self.file))
        for value in np.unique(voxels[voxels > 0]).tolist():
            name = table.names[value]
            node.segmentation.segments[name] = Segment(name, voxels == value)
        return True

    def CreateDefaultDisplayNodes(self) -> None:  # noqa: N802
        self.displayed = True

    def SetReferenceImageGeometryParameterFromVolumeNode(self, node: Any) -> None:  # noqa: N802
        self.grid = node


class Scene:
    def __init__(self) -> None:
        self.nodes: dict[int, Any] = {}

    def AddNewNodeByClass(self, kind: str) -> SegmentationNode:  # noqa: N802
        assert kind == "vtkMRMLSegmentationNode"
        made = SegmentationNode(self)
        self.AddNode(made)
        return made

    def AddNode(self, node: Any) -> None:  # noqa: N802
        self.nodes[id(node)] = node

    def RemoveNode(self, node: Any) -> None:  # noqa: N802
        del self.nodes[id(node)]


class LoadableModule:
    def __init__(self, parent: Any) -> None:
        self.parent = parent


class LoadableWidget:
    def __init__(self, _parent: Any = None) -> None:
        self.layout = Layout()

    def setup(self) -> None:
        pass


class LoadableLogic:
    def __init__(self) -> None:
        pass


class Slicer:
    """The modules that a scripted module imports.

    Args:
        folder: where temporary folders are made.

    Attributes:
        scene: of it; errors: what was shown to the user.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.scene, self.errors = folder, Scene(), list[str]()

    def modules(self) -> dict[str, ModuleType]:
        """Name -> module."""
        util = {
            "tempDirectory": lambda: tempfile.mkdtemp(dir=self.folder),
            "exportNode": self._export,
            "errorDisplay": self.errors.append,
        }
        slicer = {
            "mrmlScene": self.scene,
            "qMRMLNodeComboBox": NodeComboBox,
            "vtkMRMLColorTableNode": ColourTable,
            "util": SimpleNamespace(**util),
        }
        widgets = (QLineEdit, QLabel, QPushButton, QProgressBar, QComboBox, QTimer, QSettings)
        loadable = {
            "ScriptedLoadableModule": LoadableModule,
            "ScriptedLoadableModuleWidget": LoadableWidget,
            "ScriptedLoadableModuleLogic": LoadableLogic,
        }
        return {
            "slicer": _module("slicer", slicer),
            "slicer.i18n": _module("slicer.i18n", {"tr": lambda text: text}),
            "slicer.ScriptedLoadableModule": _module("slicer.ScriptedLoadableModule", loadable),
            "qt": _module("qt", {"QFormLayout": Layout, **{one.__name__: one for one in widgets}}),
            "ctk": _module("ctk", {"ctkCollapsibleButton": CollapsibleButton}),
        }

    def _export(self, node: VolumeNode, path: str, properties: dict[str, Any]) -> bool:
        assert properties == {"useCompression": 0}
        sitk.WriteImage(node.image, path, False)
        return True


def _module(name: str, content: dict[str, Any]) -> ModuleType:
    made = ModuleType(name)
    for key, value in content.items():
        setattr(made, key, value)
    return made
