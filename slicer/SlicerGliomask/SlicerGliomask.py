"""3D Slicer module: brain-tumour segmentation by a server that runs ``gliomask serve``.

Nothing needs to be installed in Slicer. Volumes go to the server, a segmentation comes back.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import ctk
import qt
import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleWidget,
)
from SlicerGliomaskLib import CANCELLED, FAILED, RUNNING, Client, ServerError, Task

SEQUENCES = {"flair": "FLAIR", "t1ce": "T1 after contrast", "t1": "T1", "t2": "T2"}
"""Name for the server -> name for people."""
_ADDRESS = "SlicerGliomask/address"
_LOOK_MS = 250


class SlicerGliomask(ScriptedLoadableModule):
    """Entry of the module in Slicer's menus."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Gliomask")
        self.parent.categories = ["Segmentation"]
        self.parent.dependencies = []
        self.parent.contributors = ["The gliomask developers"]
        self.parent.helpText = _(
            "Segments brain tumours in MRI by a server that runs <i>gliomask serve</i>. "
            "For research use only."
        )
        self.parent.acknowledgementText = ""


class SlicerGliomaskWidget(ScriptedLoadableModuleWidget):
    """The panel of the module."""

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        self.logic = SlicerGliomaskLogic()
        self._models, self._task = [], None
        self._timer = qt.QTimer()
        self._timer.setInterval(_LOOK_MS)
        self._timer.connect("timeout()", self._look)
        self._add_server()
        self._add_volumes()
        self._add_action()
        self._show()

    def cleanup(self):
        """Leaves no job behind that nobody waits for."""
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()

    def connect_server(self, *_ignored):
        """Asks the server for its models."""
        try:
            client = Client(self.address.text, self.token.text)
            self._models = client.models()
        except ServerError as problem:
            self._models = []
            self.status.text = str(problem)
        else:
            self.logic.client = client
            qt.QSettings().setValue(_ADDRESS, self.address.text.split("?")[0])
            self.status.text = _("Connected.")
        self.model.clear()
        for model in self._models:
            self.model.addItem(model["name"])
        self._show()

    def act(self, *_ignored):
        """Segments, or cancels what runs."""
        if self._task is not None:
            self._task.cancel()
            self.action.enabled = False
            return
        volumes = {name: box.currentNode() for name, box in self.volumes.items()}
        chosen = {name: node for name, node in volumes.items() if node is not None}
        try:
            self._task = self.logic.start(self._model(), chosen)
        except (ServerError, RuntimeError) as problem:
            self.status.text = str(problem)
        else:
            self._timer.start()
        self._show()

    def _look(self):
        """Shows how far the task is, and takes its result; the timer's."""
        task = self._task
        if task is None:
            return
        self.progress.value = int(100 * task.share)
        self.status.text = task.note
        if task.state == RUNNING:
            return
        self._timer.stop()
        self._task = None
        if task.state == FAILED:
            slicer.util.errorDisplay(_("Segmentation failed: {text}").format(text=task.note))
        elif task.state == CANCELLED:
            self.status.text = _("Cancelled.")
        else:
            self.output.setCurrentNode(self.logic.finish(self.output.currentNode()))
            self.status.text = self.logic.summary(task.result)
        self.logic.clean_up()
        self._show()

    def _model(self):
        index = self.model.currentIndex
        return self._models[index] if 0 <= index < len(self._models) else None

    def _show(self, *_ignored):
        """Enables what can be done."""
        running, model = self._task is not None, self._model()
        for name, box in self.volumes.items():
            box.enabled = not running and model is not None and name in model["sequences"]
        some = any(box.currentNode() is not None for box in self.volumes.values())
        self.action.text = _("Cancel") if running else _("Segment")
        self.action.enabled = running or (model is not None and some)
        self.progress.visible = running
        self.connect_button.enabled = self.model.enabled = not running

    def _add_server(self):
        form = self._section(_("Server"))
        self.address = qt.QLineEdit()
        self.address.text = qt.QSettings().value(_ADDRESS) or "http://127.0.0.1:8000/"
        self.address.toolTip = _("The address that gliomask serve prints, with its token or not")
        self.token = qt.QLineEdit()
        self.token.echoMode = qt.QLineEdit.Password
        self.token.toolTip = _("A token with the scopes read and submit; it is not stored")
        self.connect_button = qt.QPushButton(_("Connect"))
        self.connect_button.connect("clicked(bool)", self.connect_server)
        self.model = qt.QComboBox()
        self.model.connect("currentIndexChanged(int)", self._show)
        form.addRow(_("Address:"), self.address)
        form.addRow(_("Token:"), self.token)
        form.addRow("", self.connect_button)
        form.addRow(_("Model:"), self.model)

    def _add_volumes(self):
        form, self.volumes = self._section(_("Volumes of one examination")), {}
        for name, title in SEQUENCES.items():
            box = self.volumes[name] = self._node_box("vtkMRMLScalarVolumeNode", add=False)
            form.addRow(f"{title}:", box)
        self.output = self._node_box("vtkMRMLSegmentationNode", add=True)
        form.addRow(_("Segmentation:"), self.output)

    def _add_action(self):
        self.action = qt.QPushButton(_("Segment"))
        self.action.connect("clicked(bool)", self.act)
        self.progress = qt.QProgressBar()
        self.status = qt.QLabel(_("For research use only."))
        self.status.wordWrap = True
        for widget in (self.action, self.progress, self.status):
            self.layout.addWidget(widget)
        self.layout.addStretch(1)

    def _section(self, title):
        button = ctk.ctkCollapsibleButton()
        button.text = title
        self.layout.addWidget(button)
        return qt.QFormLayout(button)

    def _node_box(self, kind, *, add):
        box = slicer.qMRMLNodeComboBox()
        box.nodeTypes = [kind]
        box.selectNodeUponCreation = box.addEnabled = box.renameEnabled = add
        box.noneEnabled, box.removeEnabled = True, False
        box.setMRMLScene(slicer.mrmlScene)
        box.connect("currentNodeChanged(vtkMRMLNode*)", self._show)
        return box


class SlicerGliomaskLogic(ScriptedLoadableModuleLogic):
    """Actions of the module on the scene.

    Attributes:
        client: of the server that is connected; None without one.
    """

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self.client = None
        self._folder, self._labels, self._grid = "", [], None

    def start(self, model, volumes):
        """Begins to segment volumes.

        Args:
            model: as the server describes it; volumes: sequence -> volume node.

        Raises:
            RuntimeError: one of them can't be used, or a sequence is missing; ServerError.
        """
        if self.client is None or model is None:
            raise ServerError(_("Connect to a server first."))
        used = {name: node for name, node in volumes.items() if name in model["sequences"]}
        missing = [name for name in model["sequences"] if name not in used]
        if not used or (missing and model["needs_all"]):
            titles = ", ".join(SEQUENCES[name] for name in missing)
            raise RuntimeError(_("The model also needs: {titles}").format(titles=titles))
        self._folder = slicer.util.tempDirectory()
        self._labels, self._grid = model["labels"], next(iter(used.values()))
        files = {name: self._write(name, node) for name, node in used.items()}
        task = Task(self.client, model["name"], files, self._mask)
        task.start()
        return task

    def finish(self, segmentation=None):
        """Puts the mask into a segmentation node, with the names and colours of its regions.

        Args:
            segmentation: node that it replaces the content of; None makes one.
        """
        if segmentation is None:
            segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
            segmentation.SetName(f"{self._grid.GetName()} tumour")
        segmentation.GetSegmentation().RemoveAllSegments()
        table = self._colour_table()
        segmentation.SetLabelmapConversionColorTableNodeID(table.GetID())
        segmentation.AddDefaultStorageNode()
        storage = segmentation.GetStorageNode()
        storage.SetFileName(self._mask)
        read = storage.ReadData(segmentation)
        slicer.mrmlScene.RemoveNode(table)
        if not read:
            raise RuntimeError(_("The mask from the server can't be read."))
        storage.SetFileName("")  # the file goes with its folder
        segmentation.CreateDefaultDisplayNodes()
        segmentation.SetReferenceImageGeometryParameterFromVolumeNode(self._grid)
        self._paint(segmentation.GetSegmentation())
        return segmentation

    def clean_up(self):
        """Removes the files that were sent and received."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = ""

    @staticmethod
    def summary(result):
        """A line for people on what the server says of the examination."""
        (case,) = result["cases"]
        volumes = ", ".join(f"{name} {ml:.1f} ml" for name, ml in case["volumes_ml"].items())
        flag = (case.get("reliability") or {}).get("level")
        parts = [volumes, *([_("flag: {flag}").format(flag=flag)] if flag else []), *case["notes"]]
        return "; ".join(parts)

    @property
    def _mask(self):
        return str(Path(self._folder) / "mask.nrrd")

    def _write(self, name, node):
        """A volume as a file that is called by its sequence alone: nobody's name is sent."""
        path = str(Path(self._folder) / f"{name}.nrrd")
        if not slicer.util.exportNode(node, path, {"useCompression": 0}):
            raise RuntimeError(_("{name} can't be written").format(name=node.GetName()))
        return path

    def _colour_table(self):
        table = slicer.vtkMRMLColorTableNode()
        table.SetTypeToUser()
        table.SetNumberOfColors(max(label["value"] for label in self._labels) + 1)
        table.SetName("gliomask")
        for label in self._labels:
            table.SetColor(label["value"], *_rgb(label["colour"]), 1.0)
            table.SetColorName(label["value"], label["name"])
        slicer.mrmlScene.AddNode(table)
        return table

    def _paint(self, segmentation):
        """The colours of the regions, whatever the reader made of the table."""
        for label in self._labels:
            segment_id = segmentation.GetSegmentIdBySegmentName(label["name"])
            if segment_id:
                segmentation.GetSegment(segment_id).SetColor(*_rgb(label["colour"]))


def _rgb(colour):
    """``#RRGGBB`` as three numbers from 0 to 1."""
    return tuple(byte / 255 for byte in bytes.fromhex(colour.lstrip("#")))
