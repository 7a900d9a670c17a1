"""Reader of weights of other programs (Keras, ONNX, PyTorch), without executing code."""
