"""The networks: their specs, the blocks, model cards and weights."""
