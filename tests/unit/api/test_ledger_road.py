"""The ledger over the network: read as of a moment, handed in, looked at, put on record; a meter replaced by forms."""

import html
import io
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from shutil import copytree

import pytest
from fastapi.testclient import TestClient
from openpyxl import Workbook, load_workbook

from api import staging, writing
from api.commands import handing_in
from gateway.assembly.platform import SystemClock
from gateway.assembly.projecting import Projection
from gateway.certificates.writing import InHouseCalibration, write_certificate
from gateway.domain.errors import UnknownObjectError
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.replacing import ReplacementBook
from tests.people import client_of
from tests.plant_folder import ORGANISATION, FixedClock, build_folder

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PAGES = (
    "/instruments", "/instruments/M-01", "/calibration", "/certificates", "/certificates/V-2025-1", "/replacements",
    "/registry/organisations", "/registry/people", "/registry/points", "/registry/instruments", "/registry/standards",
    "/registry/certificates", "/registry/installations", "/registry/documents", "/registry/sites", "/handing-in",
)  # fmt: skip
ANSWERS = (
    "/api/v1/registry/instruments", "/api/v1/registry/instruments/M-01", "/api/v1/certificates",
    "/api/v1/certificates/V-2025-1", "/api/v1/dossiers", "/api/v1/traceability", "/api/v1/replacements",
    "/api/v1/calibration/plan?year=2026",
)  # fmt: skip


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_folder(tmp_path_factory.mktemp("origin") / "data").path


@pytest.fixture
def folder(origin: Path, tmp_path: Path) -> DataFolder:
    copytree(origin, tmp_path / "data")
    return DataFolder.open(tmp_path / "data")


@pytest.fixture(autouse=True)
def _nobody_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests project themselves, so that no answer waits for it."""
    monkeypatch.setattr(writing, "PROJECTED_WITHIN_S", 0.0)


@pytest.fixture
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder) as made:
        made.follow_redirects = False
        yield made


def project(folder: DataFolder) -> None:
    projection = Projection(DataFolder.open(folder.path), FixedClock())
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()


def fields_of(page: str) -> list[tuple[str, str]]:
    """The hidden fields of a page's confirming form, in order."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.split('class="form"', 1)[1])
    return [(name, html.unescape(value)) for name, value in found if name != "form_token"]


def posted(client: TestClient, path: str, fields: list[tuple[str, str]]):
    body: dict[str, list[str]] = {}
    for name, value in fields:
        body.setdefault(name, []).append(value)
    return client.post(path, data=body)


def sheet(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_and_answer_stands(client: TestClient, language: str) -> None:
    for path in PAGES:
        answer = client.get(path, params={"lang": language})
        assert answer.status_code == 200, path
    for path in ANSWERS:
        assert client.get(path).status_code == 200, path
        assert "text/csv" in client.get(path, headers={"accept": "text/csv"}).headers["content-type"] or path.endswith(
            ("M-01", "V-2025-1")
        )
    assert client.get("/registry/nothing").status_code == 404
    assert client.get("/api/v1/registry/instruments/none").status_code == 404


def test_the_chain_and_the_record_stand_on_the_card(client: TestClient) -> None:
    page = client.get("/instruments/M-01", params={"lang": "en"}).text
    assert "国量标 77" in client.get("/registry/standards").text
    assert "S-01" in page
    assert "the standard&#39;s certificate is not on record" in page
    assert "factory certificate: missing" in page
    answer = client.get("/api/v1/dossiers", params={"instrument": "M-01"}).json()["result"]
    assert answer["rows"][0]["missing"] == ["manual", "factory_certificate", "certificate_before", "consecutive"]
    assert (answer["complete"], answer["instruments"]) == (0, 1)
    chains = client.get("/api/v1/traceability").json()["result"]
    assert (chains["unbroken"], chains["instruments"]) == (1, 3)


def test_an_earlier_moment_and_an_earlier_knowledge_answer_otherwise(client: TestClient) -> None:
    known = client.get("/api/v1/registry/people", params={"known_at": "2025-01-01"}).json()
    assert known["result"] == []
    before = client.get("/api/v1/certificates", params={"known_at": "2025-01-01"}).json()["result"]
    now = client.get("/api/v1/certificates").json()["result"]
    assert (len(before), len(now)) == (0, 2)
    assert client.get("/api/v1/certificates", params={"organisation": "other"}).status_code == 404


def test_a_ledger_is_looked_at_and_then_put_on_record(client: TestClient, folder: DataFolder) -> None:
    content = sheet(["工号", "姓名", "岗位", "钉钉号"], ["U1", "王某", "计量员", "7"])
    answer = client.post("/handing-in/ledger", files={"files": ("people.xlsx", content, XLSX)}, params={"lang": "en"})
    assert "1 problems" in answer.text
    assert "钉钉号" in answer.text
    assert client.get("/api/v1/registry/people").json()["result"] == []
    said = [*fields_of(answer.text), ("column", "-"), ("act", "look")]
    again = posted(client, "/handing-in/ledger/confirm", said)
    assert again.status_code == 200
    assert client.get("/api/v1/registry/people").json()["result"] == []
    done = posted(client, "/handing-in/ledger/confirm", [*fields_of(again.text), ("act", "record"), ("reason", "建账")])
    assert done.status_code in {202, 303}, done.text
    project(folder)
    (person,) = client.get("/api/v1/registry/people").json()["result"]
    assert (person["id"], person["object"]["name"], person["reason"]) == ("U1", "王某", "建账")
    assert "王某" in client.get("/registry/people").text
    # what the column stands for is remembered
    content = sheet(["工号", "姓名", "岗位", "钉钉号"], ["U2", "李某", "计量员", "8"])
    assert client.post("/api/v1/ledger/import", files={"files": ("people.xlsx", content, XLSX)}).status_code in {
        201,
        202,
    }


def ended(client: TestClient, look: str) -> dict[str, object]:
    for _ in range(3_000):
        said: dict[str, object] = client.get(look, params={"lang": "en"}).json()
        if said["ended_us"] is not None:
            return said
        time.sleep(0.02)
    pytest.fail("the work did not end")


@pytest.mark.parametrize("way", ["form", "program"])
def test_a_large_ledger_is_long_work_that_can_be_left(folder: DataFolder, way: str) -> None:
    rows = "".join(f"U{number},王某{number},计量员{'甲' * 20}\n" for number in range(2_000))
    files = {"files": ("people.csv", f"工号,姓名,岗位\n{rows}".encode(), "text/csv")}
    with client_of(folder, clock=SystemClock()) as client:
        client.follow_redirects = False
        if way == "form":
            seen = client.post("/handing-in/ledger", files=files)
            given = posted(client, "/handing-in/ledger/confirm", [*fields_of(seen.text), ("act", "record")])
            assert given.status_code == 303, given.text
            look = "/api/v1" + given.headers["location"]
        else:
            given = client.post("/api/v1/ledger/import", files=files)
            assert given.status_code == 202, given.text
            look = given.headers["location"]
        # nobody projects yet: it is on record and goes on, whatever else one looks at
        for _ in range(3_000):
            said = client.get(look).json()
            if (said["done"], said["total"]) == (0, 2_000) and said["step"] != "正在写入条目":
                break
            assert said["ended_us"] is None, said
            time.sleep(0.02)
        assert said["step"] == "等待各页面显示", said
        page = client.get(look.removeprefix("/api/v1")).text
        assert 'max="2000"' in page
        assert "people.csv" in page
        assert client.get("/instruments").status_code == 200
        project(folder)
        said = ended(client, look)
        assert (said["state"], said["done"]) == ("done", 2_000)
        assert str(said["address"]).startswith("/instruments?recorded=")
        assert len(client.get("/api/v1/registry/people?limit=5000").json()["result"]) >= 1_000


def test_a_large_ledger_with_a_problem_leaves_nothing(folder: DataFolder) -> None:
    rows = "".join(f"D{number},{'说明书' * 8},M-99\n" for number in range(2_000))
    files = {"files": ("documents.csv", f"文件编号,文件名称,管理编号\n{rows}".encode(), "text/csv")}
    with client_of(folder, clock=SystemClock()) as client, Journal.open(folder, read_only=True) as journal:
        before = journal.head()
        said = ended(client, client.post("/api/v1/ledger/import?lang=en", files=files).headers["location"])
        assert said["state"] == "failed"
        assert "documents.csv:2: 'instrument' names 'M-99'" in "\n".join(said["said"])  # type: ignore[arg-type]
        assert journal.head() == before


def test_the_programs_road_looks_first_too(client: TestClient, folder: DataFolder) -> None:
    files = {
        "files": ("documents.csv", "文件编号,文件名称,文件类别,管理编号\nD1,说明书,说明书,M-01\n".encode(), "text/csv")
    }
    seen = client.post("/api/v1/ledger/preview", files=files).json()
    assert (seen["rows"], seen["problems"], [each["id"] for each in seen["changes"]]) == (1, [], ["D1"])
    assert client.post("/api/v1/ledger/import", files=files, data={"reason": "r"}).status_code in {201, 202}
    project(folder)
    held = client.get("/api/v1/dossiers", params={"instrument": "M-01"}).json()["result"]["rows"][0]["held"]
    assert "manual" in held
    wrong = {"files": ("documents.csv", "文件编号,文件名称,管理编号\nD2,说明书,M-99\n".encode(), "text/csv")}
    refused = client.post("/api/v1/ledger/import", files=wrong, headers={"accept-language": "en"})
    assert refused.status_code == 422
    assert "documents.csv:2: 'instrument' names 'M-99'" in refused.json()["detail"]
    bomb = {"files": ("x.xlsx", b"PK\x03\x04 no workbook", XLSX)}
    assert client.post("/api/v1/ledger/preview", files=bomb).json()["problems"][0]["row"] == 0


def digital(number: str, serial: str) -> bytes:
    point = {"reference": Decimal(100), "measured": Decimal("100.2"), "error": Decimal("0.2")}
    record = {
        "number": number, "performed_on": "2026-02-01", "laboratory": "厂内计量室", "city": "某市", "person": "王某",
        "customer": "某厂", "method": "比较法", "quantity": "有功电能", "unit": "\\kilo\\watt\\hour",
        "error_unit": "\\kilo\\watt\\hour", "coverage_probability": "0.95", "conformity": "pass",
        "item": {"name": "电能表", "maker": "某厂", "model": "PM-3", "serial": serial, "id": "M-02"},
        "standards": [{"name": "标准表", "serial": "B1", "certificate": {"number": "GB-1", "issuer": "省院"}}],
        "points": [point | {"expanded": Decimal("0.05"), "k": Decimal(2)}],
    }  # fmt: skip
    return write_certificate(InHouseCalibration.model_validate(record), "test", "1")


def test_a_certificate_file_is_looked_at_kept_and_given_back(client: TestClient, folder: DataFolder) -> None:
    content = digital("NB-2026-1", "100002")
    answer = client.post(
        "/handing-in/certificate",
        files={"file": ("电能表.xml", content, "application/xml")},
        data={"valid_until": "2027-01-31", "reason": "年度校准"},
        params={"lang": "en"},
    )
    assert answer.status_code == 200
    assert "not signed" in answer.text
    assert "NB-2026-1" in answer.text
    assert client.get("/certificates/NB-2026-1").status_code == 404
    done = posted(client, "/handing-in/certificate/confirm", fields_of(answer.text))
    assert done.status_code in {202, 303}, done.text
    project(folder)
    found = client.get("/api/v1/certificates/NB-2026-1").json()["result"]
    assert (found["row"]["authenticity"], found["row"]["counts"], found["file_kind"]) == ("unsigned", True, "xml")
    assert found["breaks"] == []
    page = client.get("/certificates/NB-2026-1", params={"lang": "en"}).text
    assert "nobody confirmed it" in page
    said = {"number": "NB-2026-1", "requirement": "误差不超过 1 %", "conclusion": "pass", "person": "王某"}
    assert client.post("/confirmations", data=said | {"on": "2026-01-01"}).status_code == 422, "before it was performed"
    assert client.post("/confirmations", data=said | {"on": "gestern"}).status_code == 422
    assert client.post("/confirmations", data=said | {"on": "2026-02-08"}).status_code in {202, 303}
    project(folder)
    assert client.get("/api/v1/certificates/NB-2026-1").json()["result"]["row"]["certificate"]["confirmed_by"] == "王某"
    verified = said | {"number": "V-2025-1", "on": "2026-02-08"}
    assert client.post("/api/v1/confirmations", json=verified).status_code == 422, "a verification needs none"
    given = client.get(f"/files/{found['file_sha256']}")
    assert given.content == content
    assert "attachment" in given.headers["content-disposition"]
    assert "sandbox" in given.headers["content-security-policy"]
    assert client.get(f"/api/v1/files/{'0' * 64}").status_code == 404
    foreign = client.post("/api/v1/certificates", files={"file": ("x.xml", digital("NB-2", "999"), "text/xml")})
    assert foreign.status_code == 422
    hostile = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    refused = client.post("/api/v1/certificates/preview", files={"file": ("x.xml", hostile, "text/xml")})
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("refused")


def test_a_meter_is_replaced_by_forms(client: TestClient, folder: DataFolder) -> None:
    given = client.post("/replacements", data={"point": "P-02", "evidence": "偏大\n与主表不符", "reason": "失准"})
    assert given.status_code in {202, 303}, given.text
    with Journal.open(folder, read_only=True) as journal:
        (order,) = ReplacementBook.read(journal, ORGANISATION).orders
    early = client.post(f"/replacements/{order}/close", data={"reason": "r"})
    assert early.status_code == 422, "no such step"
    early = client.post(f"/api/v1/replacements/{order}/closed", json={"reason": "r"}, headers={"accept-language": "en"})
    assert early.status_code == 409
    assert "first record that the meter came down" in early.json()["detail"]
    assert client.post("/api/v1/replacements", json={"point": "P-02", "reason": "twice"}).status_code == 409
    down = {"closing_index": "77.10", "people": "王某、李某", "reason": "送检"}
    assert client.post(f"/replacements/{order}/dismounted", data=down).status_code in {202, 303}
    project(folder)
    found = client.get(f"/api/v1/replacements/{order}").json()["result"]
    assert (found["state"], found["next_steps"], found["evidence"]) == (
        "dismounted", ["sent", "fitted"], ["偏大", "与主表不符"],
    )  # fmt: skip
    installation = client.get("/api/v1/registry/installations/I-02").json()["result"][-1]
    assert installation["object"]["closing_index"] == "77.10"
    assert installation["to_us"] is not None
    page = client.get(f"/replacements/{order}", params={"lang": "en"})
    assert "Record which meter went up" in page.text
    listed = client.get("/api/v1/findings", params={"rule": "replacement.open"}).json()["result"]
    assert [each["point"] for each in listed] == ["P-02"]
    assert order in client.get("/replacements").text
    assert order in client.get("/instruments/M-02").text


def test_only_who_keeps_the_ledger_writes_it(folder: DataFolder) -> None:
    with client_of(folder, role="operator") as client:
        assert client.get("/certificates").status_code == 200
        assert client.get("/handing-in").status_code == 403
        assert client.post("/api/v1/replacements", json={"point": "P-01", "reason": "r"}).status_code == 403
        assert "Order a check" not in client.get("/replacements", params={"lang": "en"}).text


def test_the_plan_and_the_template_are_workbooks(client: TestClient) -> None:
    plan = client.get("/api/v1/calibration/plan", params={"year": 2026, "sheet": "true"})
    rows = list(load_workbook(io.BytesIO(plan.content)).active.iter_rows(values_only=True))
    assert rows[0][1] == "用能单位管理编号"
    assert "M-02" in {row[1] for row in rows}, "overdue since 2025: in every plan until it is done"
    template = client.get("/handing-in/template.xlsx")
    assert "instruments" in load_workbook(io.BytesIO(template.content)).sheetnames or template.status_code == 200


def test_files_handed_in_make_room_for_newer_ones(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MAX_STAGED", 2)
    digests = [staging.keep(folder, str(number).encode()) for number in range(4)]
    assert staging.kept(folder, digests[-1]) == b"3"
    with pytest.raises(UnknownObjectError):
        staging.kept(folder, digests[0])
    for wrong in ("../../state", "0" * 64, "", digests[-1].upper()):
        with pytest.raises(UnknownObjectError):
            staging.kept(folder, wrong)
    assert staging.shown_name("C:\\x\\..\\台账 1.xlsx") == "台账 1.xlsx"
    assert staging.shown_name("a/b\n<c>.csv") == "b__c_.csv"
    assert staging.shown_name(None) == "file"


def test_more_than_one_command_may_write_is_a_sentence(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing_in, "MAX_DRAFTS", 1)
    files = {"files": ("people.csv", "工号,姓名\nU1,王某\nU2,李某\n".encode(), "text/csv")}
    refused = client.post("/api/v1/ledger/import", files=files, headers={"accept-language": "en"})
    assert refused.status_code == 422
    assert "meterproof ledger import" in refused.json()["detail"]
