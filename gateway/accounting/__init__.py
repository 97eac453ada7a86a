"""From settled intervals to energy, balance and carbon: every result a figure with its uncertainty, factors and
evidence.
"""
