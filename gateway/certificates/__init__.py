"""Certificate files: digital calibration certificates read and written, signatures, PDF and OFD, traceability."""
