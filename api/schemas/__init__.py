"""Shapes of the API that are not already a dataclass of ``gateway.audit``."""
