"""15-minute intervals from end registers, and roll-ups."""
