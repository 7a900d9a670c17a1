"""How fast this machine is: what it could do at best, and what networks do on it."""
