"""From a volume to a mask, behind one seam for engines."""
