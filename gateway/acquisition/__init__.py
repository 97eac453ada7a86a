"""Slots, schedule and supervision of endpoints; what arrives leaves as blocks."""
