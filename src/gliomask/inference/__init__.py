"""Prediction: from a volume to a mask, with interchangeable engines."""
