"""The vocabulary of the house: volumes, labels, cases, slices. Numpy only."""
