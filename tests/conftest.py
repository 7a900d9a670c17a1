"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# The tests run in as many processes as there are processors, and arrays are small: a second thread
# of PyTorch's or of BLAS gains nothing and burns a processor while it waits (three times the time
# of a small training). Read when these libraries are loaded; processes that tests start inherit it.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# Models that the account which runs the tests has added are none of the tests' business.
os.environ["GLIOMASK_MODELS"] = "/nonexistent/gliomask-models"

# A change is judged by the same examples each time; new ones are looked for on purpose, by
# HYPOTHESIS_PROFILE=explore.
settings.register_profile("same", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
