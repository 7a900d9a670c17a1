"""Result folders: written and read."""
