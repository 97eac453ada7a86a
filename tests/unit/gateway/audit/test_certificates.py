"""Due states against dates worked out by hand."""

from datetime import date
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.audit.certificates import Cards, Due, Standing, standing
from gateway.domain.time import local_midnight
from gateway.metrology.ledger_view import LedgerView
from gateway.registry.record import Record

ON = date(2026, 3, 11)
ZONE = ZoneInfo("Asia/Shanghai")
NOON = local_midnight(ON, ZONE) + 12 * 3_600_000_000


SEQ = count(1)


def record(of: str, id_: str, **values: Any) -> Record:
    return Record(next(SEQ), 0, "o", of, id_, None, None, False, values, "", "", "")


def certificate(number: str, **fields: Any) -> Record:
    values = {"kind": "verification", "instrument": "M-1", "serial": "77", "result": "pass", **fields}
    return record("certificate", number, **values)


class Papers:
    """Stands in for the registry: one meter and its certificates, fitted nowhere."""

    def __init__(self, certificates: list[Record], *, compulsory: bool) -> None:
        self._certificates = certificates
        self._card = record("instrument", "M-1", serial="77", compulsory=int(compulsory))

    def ledger_seq(self) -> int:
        return 1

    def versions(self, organisation: str, kind: str, known_seq: int | None = None) -> dict[str, list[Record]]:
        del organisation, known_seq
        found = {"instrument": [self._card], "certificate": self._certificates}.get(kind, [])
        return {each.id: [each] for each in found}

    def objects(
        self, organisation: str, kind: str, as_of_us: int | None = None, known_seq: int | None = None
    ) -> list[Record]:
        del as_of_us
        return [each[-1] for each in self.versions(organisation, kind, known_seq).values()]


def found(certificates: list[Record], *, compulsory: bool = False) -> Standing:
    papers = Papers(certificates, compulsory=compulsory)
    view = LedgerView.read(papers, "o", ZONE)  # type: ignore[arg-type]  # what the view asks of a registry
    return standing(Cards(view, {}), "M-1", NOON, ON)


@pytest.mark.parametrize(
    ("until", "due", "days"),
    [
        ("2026-03-10", Due.OVERDUE, -1),
        ("2026-03-11", Due.DUE_SOON, 0),  # valid to the end of its last day
        ("2026-04-10", Due.DUE_SOON, 30),
        ("2026-04-11", Due.VALID, 31),
        ("", Due.NO_TERM, None),
        ("9999-12-31", Due.VALID, 2912373),  # of an older record; the day after it does not exist
    ],
)
def test_days_left(until: str, due: Due, days: int | None) -> None:
    state = found([certificate("C", performed_on="2025-01-01", valid_until=until)])
    assert (state.due, state.days_left) == (due, days)


def test_a_calibration_does_not_serve_where_verification_is_compulsory() -> None:
    calibrated = certificate(
        "C", kind="calibration", performed_on="2025-01-01", valid_until="2027-01-01", result="none"
    )
    assert found([calibrated], compulsory=True).due is Due.NOT_VERIFIED
    assert found([calibrated]).due is Due.UNCONFIRMED
    confirmed = certificate(
        "C", kind="calibration", performed_on="2025-01-01", valid_until="2027-01-01", result="none",
        confirmed_result="pass",
    )  # fmt: skip
    assert found([confirmed]).due is Due.VALID
    assert found([confirmed], compulsory=True).due is Due.NOT_VERIFIED


def test_a_confirmation_that_says_no_is_a_failure() -> None:
    denied = certificate("C", kind="calibration", performed_on="2025-01-01", result="none", confirmed_result="fail")
    assert found([denied]).due is Due.FAILED


def test_the_last_performed_counts_and_later_ones_do_not_yet() -> None:
    old = certificate("OLD", performed_on="2024-01-01", valid_until="2025-01-01")
    new = certificate("NEW", performed_on="2025-06-01", valid_until="2027-06-01")
    future = certificate("FUTURE", performed_on="2026-06-01", valid_until="2028-06-01")
    state = found([new, future, old], compulsory=True)
    assert state.certificate is not None
    assert state.certificate.id == "NEW"


def test_a_certificate_replaced_by_another_does_not_count() -> None:
    wrong = certificate("WRONG", performed_on="2025-06-02", valid_until="2029-06-01")
    right = certificate(
        "RIGHT", performed_on="2025-06-01", valid_until="2026-06-01", supersedes="WRONG", substitution="substituted"
    )
    state = found([wrong, right])
    assert state.certificate is not None
    assert (state.certificate.id, state.due) == ("RIGHT", Due.VALID)


def test_a_failed_verification_is_a_failure_even_before_the_old_one_ends() -> None:
    good = certificate("GOOD", performed_on="2025-01-01", valid_until="2027-01-01")
    notice = certificate("NOTICE", kind="rejection_notice", performed_on="2026-01-01", result="fail")
    assert found([good, notice], compulsory=True).due is Due.FAILED


def test_a_certificate_of_another_serial_number_is_said_to_be_one() -> None:
    other = certificate("C", serial="78", performed_on="2025-01-01", valid_until="2027-01-01")
    state = found([other], compulsory=True)
    assert (state.due, state.broken) == (Due.OTHER_METER, ("calibration.identity",))


def test_a_manipulated_file_is_no_evidence() -> None:
    broken = certificate("C", performed_on="2025-01-01", valid_until="2027-01-01", authenticity="manipulated")
    assert found([broken]).due is Due.UNTRUSTED


def test_nothing_on_record() -> None:
    assert found([]).due is Due.NO_CERTIFICATE
    later = certificate("C", performed_on="2026-05-01", valid_until="2027-01-01")
    assert (found([later]).due, found([later]).certificate) == (Due.NO_CERTIFICATE, None)
