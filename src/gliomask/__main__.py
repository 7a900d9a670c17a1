"""``python -m gliomask``: the command line, for `torchrun -m gliomask train ...`."""

from gliomask.cli.main import main

main()
