"""What the module does without 3D Slicer: requests to the server, and a task that waits for it."""

from .client import Client, ServerError
from .task import CANCELLED, DONE, FAILED, RUNNING, Task

__all__ = ["CANCELLED", "DONE", "FAILED", "RUNNING", "Client", "ServerError", "Task"]
