"""What the demo plants and every reader of its findings must be shown."""

PLANTED = (
    "calibration.expired",
    "calibration.not_verification",
    "installation.ratio_mismatch",
    "instrument.class_too_low",
    "identity.serial_mismatch",
    "point.unequipped",
    "device.silent",
    "counter.rollover",
    "counter.exchange",
)
