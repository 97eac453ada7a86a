"""What each rule id means: severity, a short title and a sentence with the facts' placeholders, in English.

The Chinese stands in ``locale/zh/rules.po``. A rule without a row here is a programming error and fails a test.
"""

from dataclasses import dataclass
from typing import Literal

from gateway.i18n.texts import text


@dataclass(frozen=True, slots=True)
class RuleText:
    """Severity (``info``, ``warning``, ``error``), title and sentence of one rule."""

    severity: Literal["info", "warning", "error"]
    title: str
    sentence: str


RULES: dict[str, RuleText] = {
    "reading.no_value": RuleText("warning", "No value", "The meter answered with its sign for “no value”."),
    "reading.not_a_number": RuleText("warning", "Not a number", "The register holds no number (NaN or infinity)."),
    "reading.overflow": RuleText("error", "Value too large", "The value does not fit the stored integer."),
    "reading.float32_coarse": RuleText(
        "warning", "Coarse float counter", "The meter's float register moves in steps coarser than its resolution."
    ),
    "reading.range": RuleText("warning", "Out of range", "The value is outside the range this quantity can have."),
    "reading.conflict": RuleText(
        "warning", "Two values for one time", "A later value for the same time differs; the first one stands."
    ),
    "counter.jitter": RuleText("info", "Counter jitter", "The counter stepped back by less than its noise."),
    "counter.glitch": RuleText("warning", "Counter glitch", "The counter showed a momentary zero."),
    "counter.rollover": RuleText("info", "Counter rollover", "The counter passed its last digit and began again."),
    "counter.reset": RuleText("error", "Counter reset", "The counter fell and went on from there."),
    "counter.exchange": RuleText("info", "Meter exchanged", "Another meter answers at this address."),
    "counter.stuck": RuleText(
        "warning", "Index stands still", "The index does not move although the meter itself shows a flow."
    ),
    "reading.frozen": RuleText(
        "warning", "Values stand still", "The meter's analogue values repeat themselves to the last digit."
    ),
    "series.identical": RuleText(
        "warning", "Two series alike", "Two meters show the same movements, window by window, to the last digit."
    ),
    "series.replayed": RuleText(
        "warning", "Series repeated", "A stretch of the series repeats an earlier one, window by window."
    ),
    "node.residual": RuleText(
        "warning",
        "Node no longer closes",
        "What the parent shows beyond its children has changed by more than their permissible errors explain.",
    ),
    "identity.changed": RuleText("warning", "Identity changed", "The device reports another identity than before."),
    "identity.serial_mismatch": RuleText(
        "error", "Serial number unlike the ledger", "The device's serial number is not the installed instrument's."
    ),
    "time.device_clock": RuleText("warning", "Device clock", "The device's time stamp was not usable."),
    "message.undecodable": RuleText("error", "Undecodable message", "The message could not be decoded; it is kept."),
    "message.unmapped": RuleText("warning", "Unmapped message", "No device is mapped to this topic and meter."),
    "message.retained": RuleText("info", "Retained message", "A retained message is kept but is no reading."),
    "message.death": RuleText("warning", "Device reported dead", "The edge node or device reported its own death."),
    "message.sequence_gap": RuleText(
        "warning", "Gap in the message sequence", "Messages of this edge node were lost; its birth was asked for again."
    ),
    "message.duplicate": RuleText("info", "Duplicate message", "The same message came again."),
    "replacement.open": RuleText(
        "warning", "Check order open", "A check of this meter was ordered and its replacement is not finished."
    ),
    "device.silent": RuleText("error", "Device silent", "The device has brought no reading since then."),
    "calibration.none": RuleText("error", "No certificate", "No certificate covers this instrument at that time."),
    "calibration.identity": RuleText("error", "Certificate of another meter", "The certificate names another serial."),
    "calibration.expired": RuleText("error", "Certificate expired", "The certificate's validity had ended."),
    "calibration.not_yet_valid": RuleText("error", "Certificate not yet valid", "The certificate was not yet valid."),
    "calibration.failed": RuleText("error", "Verification failed", "The last certificate's result is a failure."),
    "calibration.not_verification": RuleText(
        "error",
        "Compulsory verification not met",
        "The instrument is under compulsory verification but holds a calibration certificate only.",
    ),
    "calibration.unconfirmed": RuleText(
        "warning",
        "Calibration not confirmed",
        "The instrument holds a calibration certificate that nobody has confirmed against the requirement of its use.",
    ),
    "calibration.untrusted": RuleText(
        "error",
        "Certificate file not to be trusted",
        "The signature of the certificate's file is broken, or its signer is unknown, expired or revoked.",
    ),
    "calibration.conformity": RuleText(
        "warning",
        "Error against class not shown",
        "By the certificate's own error and uncertainty, conformity with the class is not shown.",
    ),
    "calibration.trace_broken": RuleText(
        "warning", "Traceability broken", "A standard named by the certificate is not on record or was not valid then."
    ),
    "calibration.look_back": RuleText(
        "warning", "In question by a later failure", "The next verification after this time found the meter to fail."
    ),
    "calibration.withdrawn": RuleText(
        "warning", "In question by a withdrawal", "The certificate these readings stood on was withdrawn later."
    ),
    "calibration.quantity": RuleText(
        "error",
        "Another quantity than certified",
        "The register counts what its instrument or certificate does not speak of: other quantity, unit or direction.",
    ),
    "calibration.range": RuleText(
        "warning",
        "Load outside the calibrated range",
        "More than one percent of the day's energy passed at a load that the certificate does not cover.",
    ),
    "point.uncertainty": RuleText(
        "warning",
        "Uncertainty above the target",
        "The uncertainty of an amount at this point is larger than its plan allows, or cannot be stated.",
    ),
    "instrument.environment": RuleText(
        "warning",
        "Outside the operating conditions",
        "The temperature at the place left the instrument's rated operating conditions that day.",
    ),
    "instrument.seal": RuleText(
        "warning",
        "Firmware or seal unlike the certificate",
        "Firmware, meter constant or seal is not the one that stood on record at the calibration.",
    ),
    "installation.ratio_mismatch": RuleText(
        "error", "CT/PT ratio mismatch", "Ledger, transformer plate and meter register disagree about the ratio."
    ),
    "instrument.class_too_low": RuleText(
        "error", "Accuracy class too low", "The instrument's accuracy class is below what the metering point demands."
    ),
    "point.unequipped": RuleText("error", "Point without a meter", "This point must be measured and has no meter."),
}


def rule_title(language: str, rule: str) -> str:
    """The rule's short title in the language."""
    return text(language, RULES[rule].title)


def rule_sentence(language: str, rule: str) -> str:
    """The rule's sentence in the language."""
    return text(language, RULES[rule].sentence)
