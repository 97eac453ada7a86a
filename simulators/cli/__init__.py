"""Commands of the simulators."""
