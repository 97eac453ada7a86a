"""Benchmarks: everything as a ratio measured in one run, beside its target."""
