"""A stand-in for what MONAIAuto3DSeg's remote logic uses of 3D Slicer; other names are errors."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it

from tests.slicer import stand_in
from tests.slicer.stand_in import ColourTable, LoadableLogic, LoadableModule, Scene

FOLDER_OF_SCENE = 1


class ScalarVolumeNode(stand_in.VolumeNode):
    def IsA(self, kind: str) -> bool:  # noqa: N802
        return kind == "vtkMRMLScalarVolumeNode"

    def GetID(self) -> int:  # noqa: N802
        return id(self)


class VolumeStorage:
    """vtkMRMLVolumeArchetypeStorageNode."""

    def SetFileName(self, path: Path) -> None:  # noqa: N802
        self.path = path

    def UseCompressionOff(self) -> None:  # noqa: N802
        pass

    def WriteData(self, node: ScalarVolumeNode) -> None:  # noqa: N802
        sitk.WriteImage(node.image, str(self.path), False)


class Segment(stand_in.Segment):
    def SetTag(self, name: str, value: str) -> None:  # noqa: N802
        self.tags = {name: value}

    def GetTerminologyEntryTagName(self) -> str:  # noqa: N802
        return "TerminologyEntry"


class SegmentationNode(stand_in.SegmentationNode):
    reference: object = None

    def ReadData(self, node: stand_in.SegmentationNode) -> bool:  # noqa: N802
        super().ReadData(node)
        segments = node.segmentation.segments
        segments.pop("stale", None)
        for name, one in segments.items():
            segments[name] = Segment(one.name, one.voxels)
        return True

    def SetNodeReferenceID(self, role: str, node: int) -> None:  # noqa: N802
        assert role == self.GetReferenceImageGeometryReferenceRole()
        self.reference = node

    def GetReferenceImageGeometryReferenceRole(self) -> str:  # noqa: N802
        return "referenceImageGeometryRef"


class Segmentation(stand_in.Segmentation):
    def GetSegment(self, segment: str) -> Any:  # noqa: N802
        return self.segments.get(segment)


class Colours:
    """The table of random colours."""

    def GetColor(self, index: int, rgba: list[float]) -> None:  # noqa: N802
        rgba[:] = [index / 10, 0.5, 0.5, 1.0]


class SceneOfClient(Scene):
    def AddNewNodeByClass(self, kind: str) -> Any:  # noqa: N802
        assert kind == "vtkMRMLVolumeArchetypeStorageNode"
        made = VolumeStorage()
        self.AddNode(made)
        return made

    def GetNodeByID(self, name: str) -> Colours:  # noqa: N802
        assert name == "vtkMRMLColorTableNodeRandom"
        return Colours()


class SubjectHierarchy:
    """vtkMRMLSubjectHierarchyNode: which node lies where."""

    def __init__(self) -> None:
        self.parents: dict[int, int] = {}

    def GetItemByDataNode(self, node: object) -> int:  # noqa: N802
        return id(node)

    def GetItemParent(self, item: int) -> int:  # noqa: N802
        return self.parents.get(item, FOLDER_OF_SCENE)

    def SetItemParent(self, item: int, parent: int) -> None:  # noqa: N802
        self.parents[item] = parent


class Terminologies:
    """No terminology is loaded: the client then names DICOM's."""

    def GetLoadedTerminologyNames(self, _names: object) -> None:  # noqa: N802
        pass

    def GetLoadedRegionContextNames(self, _names: object) -> None:  # noqa: N802
        pass

    def DeserializeTerminologyEntry(self, _text: str, _entry: object) -> bool:  # noqa: N802
        return False


class StringArray:
    """vtkStringArray, empty."""

    def GetNumberOfValues(self) -> int:  # noqa: N802
        return 0


@dataclass
class Client:
    """The modules that the client imports.

    Attributes:
        folder: where temporary folders are made.
    """

    folder: Path

    def __post_init__(self) -> None:
        self.scene, self.hierarchy = SceneOfClient(), SubjectHierarchy()

    def segmentation_node(self) -> SegmentationNode:
        """A new node in the scene."""
        node = SegmentationNode(self.scene)
        node.segmentation = Segmentation()
        return node

    def modules(self) -> dict[str, ModuleType]:
        """Name -> module."""
        util = {
            "tempDirectory": lambda: tempfile.mkdtemp(dir=self.folder),
            "getModuleLogic": lambda name: {"Terminologies": Terminologies()}[name],
            "VTKObservationMixin": type("VTKObservationMixin", (), {}),
        }
        hierarchy = SimpleNamespace(GetSubjectHierarchyNode=lambda _scene: self.hierarchy)
        terminologies = SimpleNamespace(logic=Terminologies)
        util_module = _module("slicer.util", util)
        slicer = {
            "mrmlScene": self.scene,
            "util": util_module,
            "modules": SimpleNamespace(terminologies=terminologies),
            "vtkMRMLColorTableNode": ColourTable,
            "vtkMRMLSegmentationNode": SegmentationNode,
            "vtkMRMLSequenceBrowserNode": object,
            "vtkMRMLSubjectHierarchyNode": hierarchy,
            "vtkSlicerTerminologyEntry": object,
        }
        loadable = {
            "ScriptedLoadableModule": LoadableModule,
            "ScriptedLoadableModuleWidget": stand_in.LoadableWidget,
            "ScriptedLoadableModuleLogic": LoadableLogic,
            "ScriptedLoadableModuleTest": object,
        }
        words = {"tr": lambda text: text, "translate": lambda _context, text: text}
        return {
            "slicer": _module("slicer", slicer),
            "slicer.util": util_module,
            "slicer.i18n": _module("slicer.i18n", words),
            "slicer.ScriptedLoadableModule": _module("slicer.ScriptedLoadableModule", loadable),
            "vtk": _module("vtk", {"vtkStringArray": StringArray}),
            "qt": _module("qt", {}),
        }


def _module(name: str, content: dict[str, Any]) -> ModuleType:
    made = ModuleType(name)
    for key, value in content.items():
        setattr(made, key, value)
    return made
