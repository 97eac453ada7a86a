"""Issuing a report: the entry names its files by hash and has its figures; nothing changes later, and it verifies."""

import json
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.assembly.projecting import Projection
from gateway.assembly.reading import open_for_reading
from gateway.assembly.sealing_now import sealed_up_to
from gateway.cli.report import command
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import iso
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.reports.issuing import MAX_FIGURE_BYTES, issued, issued_report
from gateway.sealing.package import PackageWriter
from gateway.sealing.selection import Wish
from gateway.verifier.folder import FolderCheck, Options
from gateway.verifier.report import Report
from tests.plant_folder import NOW, START, FixedClock, build_folder

pytestmark = pytest.mark.integration
"""The files issued are PDF too, which needs a Chinese font of the machine."""


@pytest.fixture(scope="module")
def issued_folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A folder in which two versions of form B.10 and one of all forms were issued."""
    folder = build_folder(tmp_path_factory.mktemp("issued") / "data")
    for kind, options in (("form-b10", ["--format", "csv"]), ("form-b10", ["--format", "csv"]), ("forms", [])):
        arguments = [
            "issue",
            kind,
            "--data",
            str(folder.path),
            "--at",
            iso(NOW),
            "--actor",
            "li",
            "--reason",
            "年审",
            "--language",
            "zh",
        ]
        done = CliRunner().invoke(command, [*arguments, *options], obj="en", catch_exceptions=False)
        assert done.exit_code == 0, done.output
        if kind == "form-b10":
            continue  # the second version is counted before the first one is projected
        projection = Projection(folder, FixedClock())
        try:
            while projection.step().applied:
                pass
        finally:
            projection.close()
    return folder


def test_versions_count_up_and_stand(issued_folder: DataFolder) -> None:
    with open_for_reading(issued_folder) as reader:
        found = issued(reader.sources.registry, issued_folder.organisation)
        assert [(each.id, each.version) for each in found] == [("forms", 1), ("form-b10", 2), ("form-b10", 1)]
        assert {each.actor for each in found} == {"li"}
        assert found[0].title == "表 B.1～B.10 能源计量审查表格"
        first = issued_report(reader.sources.registry, issued_folder.organisation, "form-b10", 1)
        assert [each.format for each in first.files] == ["csv", "json"]
        with pytest.raises(UnknownObjectError):
            first.file("pdf")
        with pytest.raises(UnknownObjectError):
            issued_report(reader.sources.registry, issued_folder.organisation, "form-b10", 3)


def test_the_entry_has_the_figures_of_its_file(issued_folder: DataFolder) -> None:
    with open_for_reading(issued_folder) as reader:
        for each in issued(reader.sources.registry, issued_folder.organisation):
            for file in each.files:
                content = (issued_folder.blobs / file.sha256).read_bytes()
                assert sha256(content).hexdigest() == file.sha256
                assert len(content) == file.size
            document = json.loads((issued_folder.blobs / each.file("json").sha256).read_bytes())
            there = {
                cell["id"]: cell
                for block in document["blocks"]
                if block["type"] == "table"
                for row in block["rows"]
                for cell in row
                if isinstance(cell, dict)
            }
            assert each.figure_count == len(there)
            assert each.figures
            for name, figure in each.figures:
                assert there[name]["exact"] == figure["exact"]
                assert there[name]["value"] == figure["value"]
            assert len(json.dumps(each.figures, ensure_ascii=False).encode()) <= MAX_FIGURE_BYTES


def verified(folder: DataFolder) -> Report:
    report = Report()
    FolderCheck(folder.path, report, Options()).run()
    return report


def test_the_folder_verifies_and_a_changed_file_is_seen(issued_folder: DataFolder) -> None:
    with Journal.open(issued_folder) as journal:
        sealed_up_to(issued_folder, journal, FixedClock())
    assert not verified(issued_folder).problems
    with open_for_reading(issued_folder) as reader:
        file = issued(reader.sources.registry, issued_folder.organisation)[0].file("pdf")
    path: Path = issued_folder.blobs / file.sha256
    content = path.read_bytes()
    path.write_bytes(content.replace(b"%PDF-1", b"%PDF-2", 1))
    try:
        assert [each.code for each in verified(issued_folder).problems] == ["blob.differs"]
    finally:
        path.write_bytes(content)


def test_a_real_folder_refuses_another_time(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "data", simulated=False)
    arguments = ["issue", "form-b3", "--data", str(folder.path), "--at", iso(NOW), "--format", "csv"]
    done = CliRunner().invoke(command, arguments, obj="en")
    assert "--at is refused" in str(done.exception)


def test_make_refuses_what_it_cannot_write(issued_folder: DataFolder, tmp_path: Path) -> None:
    runner = CliRunner()
    base = ["--data", str(issued_folder.path), "--at", iso(NOW)]
    done = runner.invoke(command, ["make", "form-b3", str(tmp_path / "b3.txt"), *base], obj="en")
    assert done.exit_code == 2
    target = tmp_path / "b3.csv"
    assert runner.invoke(command, ["make", "form-b3", str(target), *base], obj="zh").output.endswith("一览表\n")
    done = runner.invoke(command, ["make", "form-b3", str(target), *base], obj="en")
    assert done.exit_code != 0
    assert runner.invoke(command, ["make", "form-b99", str(tmp_path / "x.csv"), *base], obj="en").exit_code != 0


def test_the_list_names_every_report(issued_folder: DataFolder) -> None:
    done = CliRunner().invoke(command, ["list", "--json", "--data", str(issued_folder.path)], obj="zh")
    document = json.loads(done.output)
    assert {f"form-b{number}" for number in range(1, 11)} <= {each["id"] for each in document["kinds"]}
    assert [each["id"] for each in document["issued"]] == ["forms", "form-b10", "form-b10"]


def test_a_package_takes_the_files_along_and_verifies_alone(issued_folder: DataFolder, tmp_path: Path) -> None:
    target = tmp_path / "package.zip"
    with Journal.open(issued_folder) as journal:
        sealed = sealed_up_to(issued_folder, journal, FixedClock())
        wish = Wish(START, NOW, frozenset(), frozenset())
        PackageWriter(issued_folder, journal, FixedClock(), sealed, "li").write(wish, target, "审查")
    with open_for_reading(issued_folder) as reader:
        wanted = {
            file.sha256 for each in issued(reader.sources.registry, issued_folder.organisation) for file in each.files
        }
    with zipfile.ZipFile(target) as archive:
        held = {name.rpartition("/")[2] for name in archive.namelist() if "documents/" in name}
    assert wanted <= held
    command = [sys.executable, "-P", "-m", "gateway.verifier", str(target)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout.decode()
