"""A certificate read from a file, and the ledger file that names it: nothing written twice, nothing lost."""

from gateway.registry.importing import drafts_for
from gateway.registry.reading_files import LedgerRow
from tests.unit.gateway.certificates.test_traceability import state

READ = {"kind": "calibration", "document": "h", "authenticity": "valid", "tables": [{"stage": "as_left"}]}


def again(**columns):
    row = LedgerRow("certificates.csv", 2, "certificate", "C", columns, None, None)
    made = drafts_for([row], state(("certificate", "C", READ)), "o", at_us=1, actor="a", reason="")
    return [draft.body["object"] for draft in made]


def test_the_same_columns_write_nothing():
    assert again(kind="calibration", document="h") == []


def test_a_changed_column_keeps_what_the_file_said():
    assert again(kind="internal", document="h") == [{**READ, "kind": "internal"}]


def test_another_file_brings_nothing_of_the_old_one():
    assert again(kind="calibration", document="x") == [{"kind": "calibration", "document": "x"}]
