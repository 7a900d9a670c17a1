"""Weights of other programs: Keras, ONNX and PyTorch files, read as numbers and nothing else."""
