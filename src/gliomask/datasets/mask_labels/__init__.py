"""What the numbers in a mask mean: the published tables, names of labels, and one resolver."""
