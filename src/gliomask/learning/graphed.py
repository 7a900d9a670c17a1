"""Training step that is recorded once on a GPU as a CUDA graph, and then replayed.

U²-NetP launches some 2,500 kernels in a step, most of them much shorter than their launch time, so
the GPU waits for the processor. A graph launches all of them at once. The complete step is
recorded, including the optimiser; only the batch and the learning rate change, in tensors with
fixed addresses. The first steps are not recorded, because libraries select their kernels and
optimisers create their state in them. They are part of the training: every batch is used once.
``torch.compile`` alone takes minutes before the first step, too long for a training of a minute. It
fuses kernels, which a graph does not, so both can be combined; see ``execution``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Final, Protocol

import torch
from torch import Tensor

Learn = Callable[[Tensor, Tensor, Tensor], Tensor]
"""A step: function of images, target and labelled regions that returns (2,) losses."""
WARM_UP: Final = 3
"""Number of steps before the recorded one."""


class Recorder(Protocol):
    """Interface for recording work on a device."""

    def warm(self, work: Callable[[], Tensor]) -> Tensor:
        """Do the work such that it can be recorded later."""

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        """Record the work without doing it; return a function that replays it, and its result
        tensor.

        Raises:
            RuntimeError: the work can't be recorded.
        """


class CudaRecorder:
    """CUDA graphs."""

    def warm(self, work: Callable[[], Tensor]) -> Tensor:
        """Run on a separate stream, so that it does not depend on the current one."""
        current, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(current)
        with torch.cuda.stream(aside), warnings.catch_warnings():
            # A capturable optimiser warns of every step that is not captured: these are few.
            warnings.filterwarnings("ignore", message=".*capturable=True.*")
            result = work()
        current.wait_stream(aside)
        return result

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        """Other threads may continue to prepare batches during the recording."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            result = work()
        return graph.replay, result


class GraphedStep:
    """Step that is recorded after some steps, for batches of one shape.

    Args:
        learn: the step.
        recorder: recorder of the device.

    Attributes:
        note: reason why it could not be recorded; empty if it could, or was not tried yet.
    """

    def __init__(self, learn: Learn, recorder: Recorder) -> None:
        self.note = ""
        self._learn, self._recorder = learn, recorder
        self._warmed = 0
        self._replay: Callable[[], None] | None = None

    def __call__(self, images: Tensor, target: Tensor, labelled: Tensor) -> Tensor:
        """Run the step."""
        inputs = (images, target, labelled)
        if self._replay is None and not self.note:
            if self._warmed < WARM_UP:
                self._warmed += 1
                return self._recorder.warm(lambda: self._learn(*inputs))
            self._record(inputs)
        if self._replay is None:
            return self._learn(*inputs)
        for own, new in zip(self._inputs, inputs, strict=True):
            own.copy_(new)
        self._replay()
        return self._value.clone()  # the next step overwrites it

    def _record(self, inputs: tuple[Tensor, Tensor, Tensor]) -> None:
        images, target, labelled = self._inputs = tuple(tensor.clone() for tensor in inputs)
        try:
            self._replay, self._value = self._recorder.record(
                lambda: self._learn(images, target, labelled)
            )
        except RuntimeError as problem:
            reason = str(problem).splitlines()[0]
            self.note = f"the training step could not be recorded and is slower: {reason}"
