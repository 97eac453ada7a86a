"""As of and known at: every question has two times."""

import pytest

from gateway.domain.ledger import Installation, MeteringPoint
from gateway.journal.entry import Draft
from gateway.journal.journal import Entry
from gateway.registry.recording import object_draft
from gateway.registry.registry import Registry
from gateway.registry.writing import RegistryProjection

DAY = 86_400_000_000


class Recorded:
    def __init__(self, path):
        self.path = path
        self.projection = RegistryProjection.open(path)
        self.seq = 0

    def apply(self, draft):
        self.seq += 1
        encoded = draft.encode()
        self.projection.begin()
        self.projection.apply_fact(Entry(self.seq, encoded.at_us, encoded.kind, encoded.subject, encoded.body_bytes))
        self.projection.commit(self.seq)
        return self.seq

    def record(self, kind, id_, object_, *, at_us=0, from_us=None, to_us=None, withdrawn=False):
        span = {"from_us": from_us, "to_us": to_us, "withdrawn": withdrawn}
        return self.apply(object_draft(kind, "o", id_, object_, at_us=at_us, actor="a", reason="", source="", **span))

    def verdict(self, state, *, opens=None, from_us=0, to_us=None, at_us=0):
        body = {
            "rule": "calibration.none",
            "state": state,
            "opens": opens,
            "severity": "error",
            "about": {"device": "d"},
        }
        body |= {"from": from_us, "to": to_us, "facts": {"n": 1}, "registry": 0, "rules": "1"}
        return self.apply(Draft("verdict", "o/device/d", at_us, body))


@pytest.fixture
def recorded(tmp_path):
    made = Recorded(tmp_path / "registry.sqlite")
    yield made
    made.projection.close()


def test_a_change_from_a_day_on_a_correction_and_a_withdrawal(recorded):
    first = recorded.record("instrument", "M", {"serial": "1"})
    change = recorded.record("instrument", "M", {"serial": "1", "metrological_state": "stopped"}, from_us=10 * DAY)
    registry = Registry.open(recorded.path)

    def state(as_of, known=None):
        found = registry.object("o", "instrument", "M", as_of, known)
        return found and found.object.get("metrological_state", "qualified")

    assert [state(9 * DAY), state(10 * DAY), state(10 * DAY, first)] == ["qualified", "stopped", "qualified"]
    assert state(9 * DAY, first - 1) is None
    correction = recorded.record("instrument", "M", {"serial": "2"})
    assert state(10 * DAY) == "qualified"
    assert state(10 * DAY, change) == "stopped"
    recorded.record("instrument", "M", {"serial": "2"}, withdrawn=True)
    assert registry.object("o", "instrument", "M", 0) is None
    assert registry.object("o", "instrument", "M", 0, correction) is not None
    assert [each.seq for each in registry.history("o", "instrument", "M")] == [1, 2, 3, 4]
    assert registry.object("other", "instrument", "M") is None
    registry.close()


def test_an_installation_closed_later_has_no_earlier_open_end(recorded):
    fitted = {"point": "P", "instrument": "M", "device": "d"}
    opened = recorded.record("installation", "I", fitted, from_us=DAY)
    recorded.record("installation", "I", {**fitted, "closing_index": "5"}, from_us=DAY, to_us=3 * DAY)
    recorded.record("installation", "J", {**fitted, "instrument": "N"}, from_us=3 * DAY)
    registry = Registry.open(recorded.path)
    assert registry.installation_of_device("o", "d", 4 * DAY).id == "J"
    assert registry.installation_of_device("o", "d", 2 * DAY).id == "I"
    assert registry.installation_of_device("o", "d", 4 * DAY, known_seq=opened).id == "I"
    assert registry.installation_of_device("o", "d", 0) is None
    assert [each.id for each in registry.installations_of_point("o", "P")] == ["I", "J"]
    assert [each.id for each in registry.installations_of_instrument("o", "N")] == ["J"]
    assert registry.object("o", "installation", "I").read_as(Installation).closing_index == "5"
    registry.close()


def test_an_object_that_names_another_target_now_is_no_longer_found_there(recorded):
    recorded.record("installation", "I", {"point": "P", "device": "d"})
    recorded.record("installation", "I", {"point": "Q", "device": "d"})
    registry = Registry.open(recorded.path)
    assert registry.installations_of_point("o", "P") == []
    assert [each.id for each in registry.installations_of_point("o", "P", known_seq=1)] == ["I"]
    registry.close()


def test_certificates_come_newest_first(recorded):
    for number, day in (("A", "2024-01-01"), ("C", "2026-01-01"), ("B", "2025-01-01")):
        recorded.record("certificate", number, {"instrument": "M", "performed_on": day, "standards": "S1;S2"})
    registry = Registry.open(recorded.path)
    assert [each.id for each in registry.certificates_of_instrument("o", "M")] == ["C", "B", "A"]
    found = registry.referring("o", "certificate", field="standards", target="S2")
    assert {each.id for each in found} == {"A", "B", "C"}
    registry.close()


def test_known_at_takes_the_running_maximum_because_clocks_step_back(recorded):
    recorded.record("point", "A", {}, at_us=100)
    recorded.record("point", "B", {}, at_us=50)
    recorded.record("point", "C", {}, at_us=200)
    registry = Registry.open(recorded.path)
    assert [registry.known_seq(at) for at in (99, 100, 199, 200)] == [0, 2, 2, 3]
    registry.close()


def test_a_verdict_is_open_then_closed_then_never_was_each_as_known_then(recorded):
    opened = recorded.verdict("open", from_us=10)
    closed = recorded.verdict("closed", opens=opened, from_us=10, to_us=20)
    retracted = recorded.verdict("closed", opens=opened, from_us=10, to_us=10)
    registry = Registry.open(recorded.path)
    assert [each.to_us for each in registry.verdicts("o", known_seq=opened)] == [None]
    assert [each.seq for each in registry.open_verdicts("o", known_seq=opened)] == [opened]
    assert [each.to_us for each in registry.verdicts("o", known_seq=closed)] == [20]
    assert registry.open_verdicts("o", known_seq=closed) == []
    assert registry.verdicts("o", as_of_us=20, known_seq=closed) == []
    assert len(registry.verdicts("o", as_of_us=19, known_seq=closed, device="d")) == 1
    assert registry.verdicts("o", known_seq=retracted) == []
    registry.close()


def test_numbers_written_as_text_are_read_as_numbers():
    point = MeteringPoint.from_document("P", {"level": "2", "compulsory": "0", "name_zh": "a", "later_field": "x"})
    assert (point.level, point.compulsory, point.name_zh) == (2, 0, "a")


@pytest.mark.parametrize("id_", ["", " a", "a\n", "x" * 200])
def test_an_id_that_cannot_stand_in_a_subject_is_refused(id_):
    with pytest.raises(ValueError, match="id"):
        object_draft("point", "o", id_, {}, at_us=0, from_us=None, to_us=None, actor="", reason="", source="")
