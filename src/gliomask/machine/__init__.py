"""Hardware and software of this machine: processors, memory, disks, packages, GPUs."""
