"""MONAI Label's protocol, as used by 3D Slicer's extension, its Reviewer and OHIF's plugin.

Source of the protocol: ``client.py``, ``MonaiServerREST.py`` and ``MonaiLabelClient.js`` of
MONAILabel. Addresses end with a slash where they do there.
"""
