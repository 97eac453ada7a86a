"""The field's terms for stored words: units, energy kinds, states, qualities. English here, Chinese in ``terms.po``.

A stored word is a stable id such as ``electricity_meter``; pages, commands and reports write it through ``term``, so
that they agree. Verification (检定) and calibration (校准) are different terms everywhere.
"""

from gateway.domain.quality import Flag, Status
from gateway.i18n.accounting_terms import ACCOUNTING_TERMS
from gateway.i18n.review_terms import REVIEW_TERMS
from gateway.i18n.texts import text

TERMS: dict[str, dict[str, str]] = {
    **ACCOUNTING_TERMS,
    **REVIEW_TERMS,
    "status": {"0": "good", "1": "uncertain", "2": "bad", "3": "missing"},
    "method": {
        "measured": "measured",
        "interpolated": "interpolated",
        "caught_up": "caught up",
        "substituted": "substituted",
        "manual": "entered by hand",
        "missing": "missing",
    },
    "outcome": {
        "ok": "answered",
        "partial": "answered in part",
        "timeout": "timed out",
        "exception": "refused by the meter",
        "frame_error": "damaged answer",
        "foreign_answer": "answer of another device",
        "unreachable": "unreachable",
        "breaker": "paused after failures",
        "overrun": "skipped, previous still running",
        "silent": "sent nothing",
        "stopped": "gateway not running",
    },
    "severity": {"error": "fault", "warning": "warning", "info": "notice"},
    "level": {
        "1": "level 1: whole unit",
        "2": "level 2: main sub-unit",
        "3": "level 3: main equipment",
    },
    "direction": {"in": "in", "out": "out", "internal": "internal"},
    "role": {
        "meter": "meter",
        "ct": "current transformer",
        "pt": "voltage transformer",
        "other": "other",
    },
    "instrument_kind": {
        "electricity_meter": "electricity meter",
        "current_transformer": "current transformer",
        "voltage_transformer": "voltage transformer",
        "belt_scale": "belt scale",
        "weighbridge": "weighbridge",
        "flow_meter": "flow meter",
        "water_meter": "water meter",
        "gas_meter": "gas meter",
        "heat_meter": "heat meter",
        "fuel_dispenser": "fuel dispenser",
        "gas_analyser": "gas analyser",
        "thermometer": "thermometer",
        "pressure_transmitter": "pressure transmitter",
        "laboratory_balance": "laboratory balance",
        "calorimeter": "calorimeter",
        "other": "other",
    },
    "metrological_state": {"qualified": "qualified", "limited": "limited use", "stopped": "out of use"},
    "operational_state": {"normal": "normal", "faulty": "faulty", "stopped": "out of use"},
    "certificate_kind": {
        "verification": "verification certificate",
        "rejection_notice": "rejection notice",
        "calibration": "calibration certificate",
        "internal": "internal calibration record",
    },
    "certificate_result": {"pass": "pass", "fail": "fail", "none": "no verdict"},
    "due": {
        "valid": "valid",
        "due_soon": "due within 30 days",
        "overdue": "overdue",
        "failed": "failed",
        "no_certificate": "no certificate",
        "not_verified": "calibration only, verification demanded",
        "no_term": "no expiry stated",
        "unconfirmed": "calibrated, not confirmed for its use",
        "other_meter": "certificate of another meter",
        "untrusted": "certificate file not to be trusted",
    },
    "fact": {
        "accuracy_class": "its class",
        "certificate": "certificate",
        "equipment": "equipment",
        "installed": "ledger",
        "instrument": "instrument",
        "kind": "kind",
        "last": "last reading",
        "ledger": "ledger",
        "maximum": "highest allowed",
        "minimum": "lowest allowed",
        "modulus": "register width",
        "new": "now",
        "old": "before",
        "order": "check order",
        "plate": "plate",
        "previous": "before",
        "raw": "raw",
        "register": "register",
        "reported": "device says",
        "required": "demanded",
        "result": "result",
        "serial": "serial number",
        "step": "step",
        "transformer": "transformer",
        "valid_from": "valid from",
        "valid_until": "valid until",
        "value": "value",
    },
    "equipping": {
        "equipped": "equipped",
        "lacking": "demanded, no meter",
        "exempt": "exempt",
        "optional": "not demanded",
        "planned": "planned",
    },
    "authenticity": {
        "valid": "signature valid, signer trusted",
        "intact": "signature whole, signer not judged",
        "unsigned": "not signed",
        "not_checked": "signature not checked",
        "unknown_signer": "signer not known",
        "manipulated": "changed after signing",
        "revoked": "signer's certificate revoked",
        "expired_signer": "signer's certificate was over",
        "no_file": "no file held",
    },
    "document_kind": {
        "manual": "manual",
        "factory_certificate": "factory certificate",
        "repair_record": "repair record",
        "rule": "rule book",
        "target": "target",
        "other": "other",
    },
    "usage": {
        "trade": "trade settlement",
        "safety": "safety",
        "medical": "medical care",
        "environment": "environmental monitoring",
    },
    "dossier": {
        "manual": "manual",
        "factory_certificate": "factory certificate",
        "last_certificate": "last certificate",
        "certificate_before": "certificate before the last",
        "consecutive": "last two certificates without a gap",
    },
    "replacement_step": {
        "ordered": "check ordered",
        "dismounted": "meter dismounted",
        "sent": "sent to the laboratory",
        "result": "result known",
        "fitted": "meter fitted",
        "closed": "order closed",
        "cancelled": "order cancelled",
    },
    "step": {"hour": "by the hour", "day": "by day", "month": "by month"},
    "balance_reason": {
        "no_value": "a metered point has no value",
        "coverage": "less than 95% of the time is covered at a point",
        "unmetered": "a point under it has no meter",
        "no_class": "an instrument's accuracy class is not stated",
    },
    "rate": {"verified": "Share with a valid certificate", "compulsory": "Compulsory verification covered"},
    "rate_definition": {
        "verified": "instruments in the ledger whose certificate is valid on the day",
        "compulsory": "instruments under compulsory verification with a valid verification certificate",
    },
    "courier_state": {
        "idle": "up to date",
        "delivering": "delivering",
        "retrying": "trying again",
        "holding": "held: somebody must look",
        "unknown": "no word yet",
    },
    "entry_kind": {
        "poll": "reading, polled",
        "miss": "missed reading",
        "message": "message",
        "settlement": "settlement",
        "verdict": "verdict",
        "configuration": "configuration",
        "event": "event",
        "point": "metering point",
        "instrument": "instrument",
        "installation": "installation",
        "certificate": "certificate",
        "standard": "standard",
        "organisation": "organisation",
        "site": "site",
        "document": "document",
        "person": "person",
        "factor_set": "factor set",
        "replacement": "replacement of a meter",
        "column_mapping": "meaning of columns",
        "clock": "clock",
        "key": "key",
        "review": "review",
        "user": "user",
        "loss": "loss",
    },
}
"""Per family of stored words, each word's English term."""

FLAG_TERMS: dict[Flag, str] = {
    Flag.NO_VALUE: "meter says “no value”",
    Flag.NOT_A_NUMBER: "not a number",
    Flag.OVERFLOW: "too large",
    Flag.FLOAT32_COARSE: "coarse float counter",
    Flag.RANGE: "out of range",
    Flag.COUNTER_JITTER: "counter jitter",
    Flag.COUNTER_GLITCH: "counter glitch",
    Flag.COUNTER_ROLLOVER: "counter rollover",
    Flag.COUNTER_RESET: "counter reset",
    Flag.COUNTER_EXCHANGE: "meter exchanged",
    Flag.RATE: "rises too fast",
    Flag.STUCK: "stuck",
    Flag.CROSS_CHANNEL: "disagrees with another channel",
    Flag.IDENTITY: "identity differs",
    Flag.RECEIVE_TIME: "time of receipt",
    Flag.BACKFILLED: "sent later",
    Flag.CONFLICT: "second value for the same time",
    Flag.NOT_READ: "block not read",
    Flag.CALIBRATION_EXPIRED: "certificate expired",
    Flag.UNCALIBRATED: "no certificate",
    Flag.QUESTIONED: "questioned",
    Flag.INTERPOLATED: "interpolated",
    Flag.SUBSTITUTED: "substituted",
    Flag.MANUAL: "entered by hand",
    Flag.ROLLOVER_UNKNOWN_WIDTH: "rollover, register width not declared",
}
"""Each quality flag in words."""


def term(language: str, family: str, word: str | int | None) -> str:
    """The term of a stored word in the language; the word itself when it is not one of ours, an em dash for none."""
    if word is None or word == "":
        return "—"
    english = TERMS[family].get(str(word))
    return str(word) if english is None else text(language, english)


def quality_terms(language: str, quality: int) -> tuple[str, list[str]]:
    """The status of a quality word and what its flags say, in the language."""
    flags = Flag(quality >> 2)
    known = [text(language, FLAG_TERMS[flag]) for flag in FLAG_TERMS if flag & flags]
    return term(language, "status", int(Status(quality & 3))), known
