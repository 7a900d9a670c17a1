"""What is measured of a mask: lesions, volumes, diameters, and how far off these may be."""
