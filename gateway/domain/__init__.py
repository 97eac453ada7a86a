"""Pure values and rules of metering. Standard library only: no input or output, no clock, no randomness."""
