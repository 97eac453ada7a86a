"""Plants described in a file: devices by profile, values that move, faults, a truth log."""
