"""The small plant of ``tests.plant_folder`` with more put on record: a failure found, a withdrawal, a report issued."""

from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from gateway.assembly.projecting import Projection
from gateway.assembly.reading import open_for_reading
from gateway.audit.look_back import LookBack, look_back
from gateway.cli.account import command as account
from gateway.domain.time import US_PER_DAY
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft
from tests.plant_folder import NOW, ORGANISATION, START, FixedClock

PLAN = """
accounting_plan: 1
title: Intake
pack: cets-cement-2024
coefficients: gbt2589-2020
sources: []
products: []
"""


@dataclass
class Plant:
    """A plant folder that more can be put on record in."""

    folder: DataFolder
    at_us: int = NOW

    def record(self, entry_kind: str, id_: str, /, *, withdrawn: bool = False, **fields: str | int) -> None:
        said = {"at_us": self.at_us, "from_us": None, "to_us": None, "actor": "a", "reason": "", "source": ""}
        self.append(object_draft(entry_kind, ORGANISATION, id_, fields, withdrawn=withdrawn, **said))

    def certificate(self, number: str, performed: str, **fields: str) -> None:
        said = {"kind": "verification", "instrument": "M-01", "serial": "100001", "valid_until": "2032-03-31"}
        self.record("certificate", number, performed_on=performed, **{"result": "pass", **said, **fields})

    def append(self, *drafts: Draft) -> None:
        with Journal.open(self.folder) as journal:
            journal.append(list(drafts))
        projection = Projection(self.folder, FixedClock(self.at_us))
        try:
            while projection.step().applied:
                pass
        finally:
            projection.close()

    def compute_march(self, scratch: Path) -> None:
        """A plan, and a first version of the result ``march`` by it."""
        (scratch / "plan.yaml").write_text(PLAN, encoding="utf-8")
        for command in (
            ["plan", str(scratch / "plan.yaml")],
            ["compute", "march", "--from", "2026-03-10T00:00:00+08:00", "--to", "2026-03-11T02:00:00+08:00"],
        ):
            made = CliRunner().invoke(
                account, [*command, "--data", str(self.folder.path)], obj="en", catch_exceptions=False
            )
            assert made.exit_code == 0, made.output
            self.append()

    def look_back(self, number: str = "", days: int = 2) -> LookBack:
        with open_for_reading(self.folder) as reader:
            return look_back(reader.sources, reader.asking(self.at_us + days * US_PER_DAY), number)


def issued(id_: str, known: int, figures: list[object], to_us: int = START + US_PER_DAY) -> Draft:
    body = {"action": "issued", "actor": "a", "reason": "", "version": 1, "title": "t", "language": "zh"}
    from_us = min(START, to_us - US_PER_DAY)
    span = {"as_of": NOW, "known": known, "from": from_us, "to": to_us, "review": ""}
    return Draft("result", f"{ORGANISATION}/result/report/{id_}", NOW, body | span | {"files": [], "figures": figures})
