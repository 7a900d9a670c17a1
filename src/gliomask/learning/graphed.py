"""A step that is recorded once on a GPU and then played again, as one CUDA graph.

U²-NetP starts some 2,500 kernels in a step, most of them far shorter than the time it takes to
start them: the GPU waits for the processor. A recording starts all of them at once. The whole
step is recorded, optimiser and all; only the batch and the learning rate come from outside, in
tensors that stay where they are.

The first steps are taken as usual, because libraries choose their kernels and optimisers make
their state then. They count: every batch is used once, recorded or not.

Why not ``torch.compile`` alone: it takes minutes before the first step, which a training of a
minute does not get back. It fuses kernels, which this does not, so the two go together; see
``execution``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Final, Protocol

import torch
from torch import Tensor

Learn = Callable[[Tensor, Tensor, Tensor], Tensor]
"""A step: images, target and which regions are labelled in, (2,) losses out."""
WARM_UP: Final = 3
"""Steps before the one that is recorded."""


class Recorder(Protocol):
    """Interface for recording work on a device."""

    def warm(self, work: Callable[[], Tensor]) -> Tensor:
        """Does the work in a way that lets it be recorded later."""

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        """Records the work without doing it: how to do it, and where its result will be.

        Raises:
            RuntimeError: the work can't be recorded; nothing was done.
        """


class CudaRecorder:
    """CUDA graphs."""

    def warm(self, work: Callable[[], Tensor]) -> Tensor:
        """On a stream of its own, so that nothing of it is tied to the stream in use."""
        current, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(current)
        with torch.cuda.stream(aside), warnings.catch_warnings():
            # An optimiser that can be recorded warns of every step that is not: these are few.
            warnings.filterwarnings("ignore", message=".*capturable=True.*")
            result = work()
        current.wait_stream(aside)
        return result

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        """Other threads may go on meanwhile: they prepare batches."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            result = work()
        return graph.replay, result


class GraphedStep:
    """A step that is recorded after some steps, for batches of one shape.

    Args:
        learn: the step.
        recorder: of the device.

    Attributes:
        note: why it could not be recorded; empty if it could, or was not tried yet.
    """

    def __init__(self, learn: Learn, recorder: Recorder) -> None:
        self.note = ""
        self._learn, self._recorder = learn, recorder
        self._warmed = 0
        self._replay: Callable[[], None] | None = None

    def __call__(self, images: Tensor, target: Tensor, labelled: Tensor) -> Tensor:
        """As the step."""
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
            self.note = f"the step could not be recorded and is slower: {reason}"
