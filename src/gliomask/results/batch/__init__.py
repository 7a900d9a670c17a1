"""A folder of a batch: its manifest, where each case stands, the page and the table over all."""
