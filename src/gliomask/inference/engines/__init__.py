"""What runs a network: one seam, and one file for each runtime behind it."""
