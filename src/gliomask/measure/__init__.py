"""What is measured of a mask: lesions, their volumes and diameters, and how far off these may be."""
