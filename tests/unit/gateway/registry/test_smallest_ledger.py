"""The smallest ledger of the documentation, pasted as it stands there, is imported without a problem."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.ledger import command
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.plant_folder import FixedClock

DOCS = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize("page", ["ledger.md", "ledger.zh-CN.md"])
def test_it_is_imported_as_written(page: str, tmp_path: Path) -> None:
    block = re.search(r"```\n(# points\.csv\n.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    assert block is not None
    written = tmp_path / "ledger"
    written.mkdir()
    for name, rows in re.findall(r"# (\w+\.csv)\n((?:[^#].*\n)+)", block[1]):
        (written / name).write_text(rows, "utf-8")
    assert len(list(written.iterdir())) == 4
    facts = {"organisation": "works", "site": "main", "time_zone": "Asia/Shanghai"}
    folder = DataFolder.create(tmp_path / "data", **facts, simulated=False, clock=FixedClock())
    done = CliRunner().invoke(command, ["import", str(written), "--data", str(folder.path)], obj="en")
    assert done.exit_code == 0, done.output
    with Journal.open(folder, read_only=True) as journal:
        kinds = sorted(entry.kind for entry in journal.read(0) if entry.kind != "event")
    assert kinds == ["certificate", "installation", "instrument", "point"]
