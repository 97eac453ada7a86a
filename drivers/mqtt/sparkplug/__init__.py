"""Sparkplug B: births, aliases, sequence numbers, deaths, and the request to be born again."""
