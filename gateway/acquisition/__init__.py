"""Acquisition: slots, the actors that own endpoints, and what becomes of every answer until the journal has it."""
