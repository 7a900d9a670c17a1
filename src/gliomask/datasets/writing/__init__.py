"""Writers of data sets in layouts of other programs."""
