"""How good a mask is, and what may be said about it."""
