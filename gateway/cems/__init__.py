"""Continuous emission monitoring of a stack (烟气连续监测), its quality assurance, and its comparison with fuel-side
accounting. Which law's rules apply is data: a pack, named by the plan of the stack."""
