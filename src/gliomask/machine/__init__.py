"""What this machine has: processors, memory, disks, packages, GPUs. Read, never guessed."""
