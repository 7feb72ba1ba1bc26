"""Two runs on the same people, or two months of one run: what differs, for whom, and why."""
