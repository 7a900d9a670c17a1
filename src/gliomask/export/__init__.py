"""A network as one ONNX graph from the scanner's numbers to the mask, written node by node."""
