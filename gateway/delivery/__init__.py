"""Couriers that bring entries to sinks."""
