"""Series of one study that lie on different grids, brought onto one."""
