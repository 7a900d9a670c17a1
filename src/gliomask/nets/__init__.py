"""Networks: specifications, blocks, model cards and weights."""
