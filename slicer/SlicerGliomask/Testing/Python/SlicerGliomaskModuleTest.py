"""Tests that run inside 3D Slicer, without a server: ``slicer_add_python_unittest``."""

from __future__ import annotations

import unittest
from pathlib import Path

import numpy as np
import slicer
from SlicerGliomask import SlicerGliomaskLogic
from SlicerGliomaskLib import Client, ServerError

LABELS = [
    {"value": 1, "name": "core", "region": "core", "colour": "#56B4E9"},
    {"value": 2, "name": "oedema", "region": "whole", "colour": "#E69F00"},
]


class SlicerGliomaskModuleTest(unittest.TestCase):
    """The mask becomes segments; what is no address is refused."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def test_a_mask_becomes_segments_with_names_and_colours(self):
        voxels = np.zeros((4, 5, 6), np.uint8)
        voxels[1, 1, 1:3], voxels[2, 2, 2] = 1, 2
        volume = slicer.util.addVolumeFromArray(voxels, nodeClassName="vtkMRMLLabelMapVolumeNode")
        logic = SlicerGliomaskLogic()
        logic._folder, logic._labels = slicer.util.tempDirectory(), LABELS
        logic._grid = slicer.util.addVolumeFromArray(voxels)
        self.assertTrue(slicer.util.exportNode(volume, str(Path(logic._folder) / "mask.nrrd")))
        segmentation = logic.finish().GetSegmentation()
        logic.clean_up()
        self.assertEqual(segmentation.GetNumberOfSegments(), 2)
        for label in LABELS:
            segment = segmentation.GetSegment(segmentation.GetSegmentIdBySegmentName(label["name"]))
            wanted = [byte / 255 for byte in bytes.fromhex(label["colour"][1:])]
            np.testing.assert_allclose(segment.GetColor(), wanted, atol=0.01)

    def test_what_is_no_address(self):
        for address in ("", "127.0.0.1:8000", "file:///tmp"):
            with self.assertRaises(ServerError):
                Client(address)
