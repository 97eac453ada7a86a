"""Calibration verdicts, decisions and uncertainty."""
