"""Export of a model as one ONNX graph, from raw intensities to the mask."""
