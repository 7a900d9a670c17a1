"""Speed of this machine: its peak rates, and the speed of networks."""
