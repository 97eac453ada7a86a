"""The physical plant: rates of energy, mass and volume as functions of time, with exact integrals."""
