"""Due states against dates worked out by hand."""

from datetime import date
from typing import Any

import pytest

from gateway.audit.certificates import Due, standing
from gateway.domain.ledger import Instrument
from gateway.registry.record import Record

METER = Instrument(id="M-1", serial="77")
ON = date(2026, 3, 11)


def certificate(number: str, **fields: Any) -> Record:
    values = {"kind": "verification", "instrument": "M-1", "serial": "77", "result": "pass", **fields}
    return Record(1, 0, "o", "certificate", number, None, None, False, values, "", "", "")


@pytest.mark.parametrize(
    ("until", "due", "days"),
    [
        ("2026-03-10", Due.OVERDUE, -1),
        ("2026-03-11", Due.DUE_SOON, 0),  # valid to the end of its last day
        ("2026-04-10", Due.DUE_SOON, 30),
        ("2026-04-11", Due.VALID, 31),
        ("", Due.NO_TERM, None),
    ],
)
def test_days_left(until: str, due: Due, days: int | None) -> None:
    found = standing(METER, [certificate("C", performed_on="2025-01-01", valid_until=until)], ON, compulsory=False)
    assert (found.due, found.days_left) == (due, days)


def test_a_calibration_does_not_serve_where_verification_is_compulsory() -> None:
    calibrated = certificate(
        "C", kind="calibration", performed_on="2025-01-01", valid_until="2027-01-01", result="none"
    )
    assert standing(METER, [calibrated], ON, compulsory=True).due is Due.NOT_VERIFIED
    assert standing(METER, [calibrated], ON, compulsory=False).due is Due.VALID


def test_the_last_performed_counts_and_later_ones_do_not_yet() -> None:
    old = certificate("OLD", performed_on="2024-01-01", valid_until="2025-01-01")
    new = certificate("NEW", performed_on="2025-06-01", valid_until="2027-06-01")
    future = certificate("FUTURE", performed_on="2026-06-01", valid_until="2028-06-01")
    found = standing(METER, [new, future, old], ON, compulsory=True)
    assert found.certificate is not None
    assert found.certificate.id == "NEW"


def test_a_failed_verification_is_a_failure_even_before_the_old_one_ends() -> None:
    good = certificate("GOOD", performed_on="2025-01-01", valid_until="2027-01-01")
    notice = certificate("NOTICE", kind="rejection_notice", performed_on="2026-01-01", result="fail")
    assert standing(METER, [good, notice], ON, compulsory=True).due is Due.FAILED


def test_a_certificate_of_another_serial_number_is_none() -> None:
    other = certificate("C", serial="78", performed_on="2025-01-01", valid_until="2027-01-01")
    found = standing(METER, [other], ON, compulsory=True)
    assert (found.due, found.certificate) == (Due.NO_CERTIFICATE, None)
