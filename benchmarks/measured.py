"""Runs a command and writes its resource usage to a file descriptor, with few imports.

    python -S measured.py FD WORD...

The kernel includes the memory of the parent at the start in the peak memory of a process. Commands
are therefore started by this small program and not by a benchmark. On Linux it also measures
processes that the command leaves behind, once they have ended.
"""

import ctypes
import json
import os
import resource
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36

if sys.platform == "linux":
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
start = time.perf_counter()
pid = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[2:]], os.environ)
_, status = os.waitpid(pid, 0)
wall = time.perf_counter() - start
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with os.fdopen(int(sys.argv[1]), "w") as report:
    code = os.waitstatus_to_exitcode(status)
    json.dump([code, wall, used.ru_utime + used.ru_stime, used.ru_maxrss], report)
