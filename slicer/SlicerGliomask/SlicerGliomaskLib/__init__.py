"""Parts of the module that need no 3D Slicer: requests to the server, and the task that waits."""

from .client import Client, ServerError
from .task import CANCELLED, DONE, FAILED, RUNNING, Task

__all__ = ["CANCELLED", "DONE", "FAILED", "RUNNING", "Client", "ServerError", "Task"]
