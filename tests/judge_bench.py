"""A registry with a judge over it, for tests of verdicts: it judges until nothing more is said."""

from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.domain.time import US_PER_DAY, parse_iso
from gateway.journal.entry import Draft
from gateway.journal.journal import Entry
from gateway.metrology.judge import Judge
from gateway.metrology.loads import Register
from gateway.metrology.witness import Outside
from gateway.registry.recording import object_draft
from gateway.registry.writing import RegistryProjection

T0 = parse_iso("2026-10-18T00:00:00+08:00")
NOW = T0 + 35 * US_PER_DAY


def day(text):
    return parse_iso(f"{text}T00:00:00+08:00")


class Witnessed:
    """Answers a test lays down; ``asked`` keeps what was asked about loads."""

    def __init__(self) -> None:
        self.counts: Register | None = None
        self.load: list[Outside] = []
        self.ambient: list[Outside] = []
        self.fits: bool | None = None
        self.asked: list[tuple[Fraction | None, Fraction | None]] = []

    def register(self, _device, _channel):
        return self.counts

    def load_outside(self, _device, _channel, lower, upper):
        self.asked.append((lower, upper))
        return self.load

    def ambient_outside(self, _device, _channel, _lower, _upper):
        return self.ambient

    def file_fits(self, _procedure, _digest, _document):
        return self.fits


class Bench:
    def __init__(self, path: Path, *, primary: bool = False) -> None:
        self.registry = RegistryProjection.open(path)
        self.seq = 0
        self.witness = Witnessed()
        self.bodies: list[bytes] = []
        self.judge = Judge(
            self.registry,
            "o",
            ZoneInfo("Asia/Shanghai"),
            T0,
            is_primary=lambda _device, _channel: primary,
            measured_since_us=lambda: T0,
            witness=self.witness,
        )

    def apply(self, *drafts: Draft) -> int:
        self.registry.begin()
        for draft in drafts:
            self.seq += 1
            encoded = draft.encode()
            self.bodies.append(encoded.body_bytes)
            self.registry.apply_fact(Entry(self.seq, encoded.at_us, encoded.kind, encoded.subject, encoded.body_bytes))
        self.registry.commit(self.seq)
        return self.seq

    def record(self, entry_kind, id_, /, *, from_us=None, to_us=None, withdrawn=False, **fields):
        said = {"at_us": T0, "actor": "a", "reason": "", "source": "", "withdrawn": withdrawn}
        return self.apply(object_draft(entry_kind, "o", id_, fields, from_us=from_us, to_us=to_us, **said))

    def plain(self, **instrument):
        """A point with a meter in order from the start, but for a certificate."""
        self.record("point", "P", name_zh="x", must_measure=1, required_class="1")
        more = {"serial": "00-42", "accuracy_class": "0.5S", "kind": "electricity_meter", **instrument}
        self.record("instrument", "M", **more)
        self.record(
            "installation", "I", from_us=T0 - US_PER_DAY, point="P", instrument="M", device="d", ct_ratio="200/5"
        )

    def certificate(self, number="C", kind="verification", performed="2025-11-01", until="2027-11-01", **fields):
        more = {"instrument": "M", "serial": "42", "result": "pass", **fields}
        return self.record("certificate", number, kind=kind, performed_on=performed, valid_until=until, **more)

    def says(self, at_us, text="serial_number", value="42"):
        self.registry.begin()
        self.registry.apply_identity(0, "o", "d", at_us, {text: value})
        self.registry.commit(self.seq)

    def verdicts(self, horizon_us=NOW, known_seq=None):
        """(rule, from, to) after judging until nothing more is said."""
        if known_seq is None:
            for _ in range(5):
                drafts = self.judge.round(horizon_us, horizon_us)
                if not drafts:
                    break
                self.apply(*drafts)
            assert self.judge.round(horizon_us, horizon_us) == []
        return [(each.rule, each.from_us, each.to_us) for each in self.registry.verdicts("o", known_seq=known_seq)]

    def ruled(self, horizon_us=NOW):
        return [rule for rule, since, to in self.verdicts(horizon_us) if to != since]
