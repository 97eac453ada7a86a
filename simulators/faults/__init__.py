"""Faults on demand, each with a label in the truth log: in what a meter shows, on the wire, in messages."""
