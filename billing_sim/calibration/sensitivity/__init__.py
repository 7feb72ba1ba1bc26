"""What the assumptions are worth: the headline metrics when an assumed number is much lower, or much higher."""
