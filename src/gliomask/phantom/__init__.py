"""A synthetic, labelled cohort on a real anatomy."""
