"""Simulated meters: what each truly saw, and what its registers therefore show."""
