"""Heads made for training: skull-stripped brains in the heads of others, heads without skull."""
