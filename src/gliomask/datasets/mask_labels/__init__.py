"""Meaning of the numbers in masks: published tables, names of labels, and one resolver."""
