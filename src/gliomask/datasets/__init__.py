"""One file per published layout: a folder to cases."""
