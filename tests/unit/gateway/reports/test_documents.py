"""What stands in the reports besides numbers: rows of the ledger, empty boxes, honesty about sources, drawings."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from gateway.assembly.projecting import Projection
from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.assembly.reporting import ReportPeriodError, ReportWish, report
from gateway.assembly.review_loading import checklist_documents
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import US_PER_HOUR, local_date, parse_iso
from gateway.journal.entry import Draft
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft
from gateway.reports.catalogue import KINDS
from gateway.reports.diagrams import BOX_WIDTH, Link, Node, cut, diagram
from gateway.reports.document import Amount, Boxes, Column, Document, Facts, Picture, Table
from gateway.reports.drawing import drawn
from gateway.reports.facts import Member, Nonconformity, ReviewFacts, ReviewItem, Stage
from gateway.reports.fonts import MissingFontError, chinese_family
from gateway.reports.making import Making
from gateway.reports.rendering import rendered
from gateway.review.acts import plan_draft
from tests.plant_folder import NOW, QUARTER_KWH, START, FixedClock, build_folder
from tests.unit.gateway.reports.test_numbers import document_of


def table(document: Document, id_: str) -> Table:
    return next(each for each in document.tables() if each.id == id_)


def test_the_lists_share_the_ledger_out(reader: OpenFolder) -> None:
    everything = {row[7] for row in table(document_of(reader, "form-b3"), "b3").rows}
    shared = [
        row[7] for form in ("b4", "b5", "b6", "b7") for row in table(document_of(reader, f"form-{form}"), form).rows
    ]
    assert sorted(map(str, shared)) == sorted(map(str, everything))
    assert len(everything) >= 3


def test_a_point_without_a_meter_is_red_and_unknown(reader: OpenFolder) -> None:
    flow = document_of(reader, "figure-b1")
    row = next(row for row in table(flow, "flow").rows if "窑" in str(row[0]))
    amount: Any = row[3]
    assert amount.figure.value is None
    spec = json.dumps([each.spec for each in flow.pictures()], ensure_ascii=False)
    assert "#fbe9e7" in spec
    network = document_of(reader, "figure-b2")
    assert "未配计量器具" in json.dumps([each.spec for each in network.pictures()], ensure_ascii=False)


SIGNED = [each.id for each in KINDS.values() if each.group in {"forms", "reviews"} and not each.needs_review]


@pytest.mark.integration  # a Chinese font of the machine
@pytest.mark.parametrize(("kind", "language"), [*((each, "zh") for each in SIGNED), ("self-declaration", "en")])
def test_boxes_are_printed_and_empty(reader: OpenFolder, kind: str, language: str) -> None:
    document = document_of(reader, kind, language)
    found = [each for each in document.blocks if isinstance(each, Boxes)]
    assert found
    made = rendered(document, "pdf", drawn(document))
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages).replace("\n", "").replace(" ", "")
    for label in (label for each in found for label in (*each.signed, *each.seals)):
        assert label.replace(" ", "") in text
    pictures = [image for page in PdfReader(io.BytesIO(made)).pages for image in page.images]
    assert not pictures, "no picture of a seal or a signature is ever placed"


def test_inferred_columns_say_so(reader: OpenFolder) -> None:
    for form in ("b1", "b2", "b8", "b9", "b10"):
        assert "推断" in table(document_of(reader, f"form-{form}"), form).source
    for form in ("b3", "b4", "b5", "b6", "b7"):
        assert "转载" in table(document_of(reader, f"form-{form}"), form).source
    assert "2025 版" in " ".join(table(document_of(reader, "form-b8"), "b8").notes)


@pytest.mark.integration  # a Chinese font of the machine
def test_simulated_data_say_so_in_every_file(reader: OpenFolder) -> None:
    document = document_of(reader, "due-list")
    sentence = "并非任何真实企业的记录"
    assert sentence in PdfReader(io.BytesIO(rendered(document, "pdf", {}))).pages[0].extract_text()
    for format_, member in (("xlsx", "xl/sharedStrings.xml"), ("docx", "word/document.xml")):
        with zipfile.ZipFile(io.BytesIO(rendered(document, format_, {}))) as archive:
            assert sentence in archive.read(member).decode()
    assert json.loads(rendered(document, "json", {}))["simulated"] == 1


def test_what_is_not_in_order_is_in_the_declaration(reader: OpenFolder) -> None:
    wrong = {row[1] for row in table(document_of(reader, "self-declaration"), "wrong").rows}
    due = {row[1] for row in table(document_of(reader, "due-list"), "due").rows}
    assert wrong
    assert wrong <= due


def test_a_period_is_refused_in_words(reader: OpenFolder) -> None:
    asking = reader.asking(NOW)
    wish = ReportWish(kind="form-b10", language="zh", first=asking.today, last=asking.today.replace(year=2020))
    with pytest.raises(ReportPeriodError):
        report(reader, asking, wish, at_us=NOW)
    with pytest.raises(UnknownObjectError):
        report(reader, asking, replace(wish, kind="form-c1"), at_us=NOW)
    with pytest.raises(UnknownObjectError, match="review"):
        report(reader, asking, ReportWish(kind="review-report", language="zh"), at_us=NOW)


def test_without_a_chinese_font_the_sentence_says_what_to_do() -> None:
    with pytest.raises(MissingFontError, match="fonts-noto-cjk"):
        chinese_family(system=False)


def test_a_table_with_a_missing_cell_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="1 cells under 2"):
        Table(id="x", title="x", columns=[Column(title="a"), Column(title="b")], rows=[["1"]])


def test_boxes_do_not_overlap_and_parents_stand_left() -> None:
    nodes = [Node(id="root", column=0, title="r")]
    nodes += [Node(id=f"n{each}", column=1, title=f"点{each}") for each in range(7)]
    links = [Link(source="root", target=f"n{each}", weight=each / 6) for each in range(7)]
    spec = diagram(nodes, links, ["一", "二"])
    boxes = spec["layer"][1]["data"]["values"]
    assert len(boxes) == 8
    for first in boxes:
        for second in boxes:
            apart = first["x2"] <= second["x"] or second["x2"] <= first["x"]
            assert first is second or apart or first["y2"] <= second["y"] or second["y2"] <= first["y"]
    root, *others = boxes
    assert all(each["x"] >= root["x"] + BOX_WIDTH for each in others)
    thickness = [each["wide"] for each in spec["layer"][0]["data"]["values"] if each["order"] == 0]
    assert thickness == sorted(thickness)


@pytest.mark.parametrize(
    ("text", "width", "wanted"), [("abc", 3, "abc"), ("计量点", 6, "计量点"), ("计量点名", 6, "计量…")]
)
def test_a_long_name_is_cut_where_it_no_longer_fits(text: str, width: int, wanted: str) -> None:
    assert cut(text, width) == wanted


def test_every_point_is_drawn_in_the_network(reader: OpenFolder) -> None:
    document = document_of(reader, "figure-b2")
    drawn_names = {
        box["title"]
        for picture in document.blocks
        if isinstance(picture, Picture)
        for box in picture.spec["layer"][1]["data"]["values"]
    }
    names = {str(row[0]).strip("　") for row in table(document, "network").rows}
    assert {cut(each, 26) for each in names} == drawn_names


REVIEW = ReviewFacts(
    id="R-2026",
    kind="energy",
    title="2026 年能源计量审查",
    number="NLJS-2026-01",
    organiser="某市市场监督管理局",
    leader="张三",
    day="2026-03-11",
    members=[Member(name="张三", role="审查组长"), Member(name="李四", role="审查员")],
    stages=[Stage(title="通知", reached_on="2026-02-01"), Stage(title="现场审查")],
    items=[
        ReviewItem(clause="6.1", title="配备", verdict="fails", automatic="应配未配 ×1", judged_by="李四", entry=12),
        ReviewItem(clause="6.3", title="检定/校准", verdict="open"),
    ],
    nonconformities=[
        Nonconformity(
            number="1", clause="6.1", title="配备", fact="窑未配计量器具", demand="2026-06-30 前配备", entry=13
        ),
        Nonconformity(number="2", clause="6.3", title="检定/校准", fact="超期", entry=14),
    ],
)


@pytest.mark.integration  # a Chinese font of the machine
@pytest.mark.parametrize("kind", ["review-report", "nonconformities", "self-check"])
def test_the_reports_of_a_review(reader: OpenFolder, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Making.__init__

    def with_review(self: Making, **said: Any) -> None:
        real(self, **{**said, "review": REVIEW})

    monkeypatch.setattr(Making, "__init__", with_review)
    document = document_of(reader, kind)
    pages = PdfReader(io.BytesIO(rendered(document, "pdf", drawn(document)))).pages
    text = "".join(page.extract_text() for page in pages).replace("\n", "").replace(" ", "")
    if kind == "nonconformities":
        assert len(pages) >= 2, "one sheet each"
        assert {"窑未配计量器具", "审查员", "用能单位代表"} <= {
            each for each in ("窑未配计量器具", "审查员", "用能单位代表") if each in text
        }
    if kind == "review-report":
        for wanted in ("NLJS-2026-01", "审查组长", "组织审查单位（盖章）", "签发日期", "未审", "不符合", "未提供发票"):
            assert wanted in text, wanted
        assert "符合项" in text
    if kind == "self-check":
        assert "应配未配×1" in text


def test_a_planned_review_is_printed_from_its_object(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "data")
    facts = {
        "from": NOW - 86_400_000_000,
        "to": NOW,
        "enterprise": "样例水泥厂",
        "organiser": "某市市场监督管理局",
        "title": "2026 年能源计量审查",
        "team": [{"reviewer": "zhang", "role": "leader"}],
    }
    checklist = checklist_documents()["jjf1356-2012"]
    with Journal.open(folder) as journal:
        draft = plan_draft(folder.organisation, "r1", checklist=checklist, facts=facts, at_us=NOW, actor="office")
        said: dict[str, Any] = {"from_us": None, "to_us": None, "actor": "a", "reason": "", "source": "t"}
        known = {"name_zh": "样例水泥厂", "credit_code": "91340000MA2TEST000"}
        unit = object_draft("organisation", folder.organisation, folder.organisation, known, at_us=START, **said)
        journal.append([draft, unit])
    projection = Projection(folder, FixedClock())
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()
    with open_for_reading(folder) as reader:
        asking = reader.asking(NOW)
        document = report(reader, asking, ReportWish(kind="review-report", language="zh", review="r1"), at_us=NOW)
        days = {"first": date(2026, 3, 11), "last": date(2026, 3, 11)}
        wish = ReportWish(kind="review-report", language="zh", review="r1", **days)
        assert report(reader, asking, wish, at_us=NOW).from_us == START + 86_400_000_000
        with pytest.raises(UnknownObjectError):
            report(reader, asking, ReportWish(kind="review-report", language="zh", review="r2"), at_us=NOW)
    days = (local_date(each, ZoneInfo("Asia/Shanghai")) for each in (document.from_us, document.to_us - 1))
    assert [str(each) for each in days] == ["2026-03-10", "2026-03-11"], "the days the review looks at"
    facts_shown = dict(row for block in document.blocks if isinstance(block, Facts) for row in block.rows)
    assert facts_shown["组织机构代码"] == "91340000MA2TEST000"
    items = table(document, "items")
    assert [row[0] for row in items.rows] == [each["id"] for each in checklist["items"]]
    assert {row[3] for row in items.rows} == {"未审"}
    assert any("×" in str(row[2]) for row in items.rows), "open findings stand at their items"
    assert len(table(document, "stages").rows) == len(checklist["stages"])
    assert table(document, "team").rows[0][1] == "审查组长"


def test_the_edition_in_force_gives_the_demanded_rate(reader: OpenFolder) -> None:
    """In January 2026 the edition of 2006 was in force, whose table ships; after that the table is not at hand."""
    for day, wanted in (("2026-01-15", {"100"}), ("2026-03-10", {"未装入"})):
        asking = reader.asking(parse_iso(f"{day}T04:00:00Z"))
        document = report(reader, asking, ReportWish(kind="form-b8", language="zh"), at_us=NOW)
        rows = [row for row in table(document, "b8").rows if row[0] == "电力" and "一级" in str(row[1])]
        assert {row[4] for row in rows} == wanted


def test_an_invoice_is_held_against_its_own_time(tmp_path: Path) -> None:
    """Ten of the 26 hours were charged: 40 quarter hours of 630 000 kWh were metered in them, not all 104."""
    folder = build_folder(tmp_path / "data")
    invoice = {
        "number": "F-1",
        "from": START,
        "to": START + 10 * US_PER_HOUR,
        "amount": "25000",
        "unit": "MWh",
        "price": "1",
        "currency": "CNY",
    }
    body = {"actor": "li", "object": invoice, "reason": "", "source": "", "withdrawn": 0}
    with Journal.open(folder) as journal:
        journal.append([Draft("invoice", f"{folder.organisation}/point/P-01", NOW, body)])
    projection = Projection(folder, FixedClock())
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()
    with open_for_reading(folder) as reader:
        document = document_of(reader, "annual-energy")
    (row,) = [row for row in table(document, "annual").rows if row[0] == "电力"]
    exact = [getattr(cell, "figure", None) and cell.figure.value for cell in row]  # type: ignore[union-attr]
    assert exact[1] == 25_000_000
    assert exact[3] == 40 * QUARTER_KWH
    assert exact[4] == 40 * QUARTER_KWH - 25_000_000
    assert exact[6] == 104 * QUARTER_KWH
    difference, then = row[4], row[3]
    assert isinstance(difference, Amount)
    assert isinstance(then, Amount)
    assert difference.figure.expanded == then.figure.expanded, "the invoice is taken as written"
