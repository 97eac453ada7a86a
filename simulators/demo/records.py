"""What the demo works keep on record beside meters and certificates: who works there, papers, an in-house calibration.

Three instruments lack their factory certificates, so that the record of the ledger has something to name. A check was
ordered once and taken back after a look on site. One analyser has a digital calibration certificate written in the
works' own laboratory and confirmed for its use.
"""

import re
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from simulators.demo.ledger import Row, instrument_id, ledger_files, local_date
from simulators.demo.places import FITTED
from simulators.demo.plant import DemoPlant

CALIBRATED = "clinker-lab"
CHECKED = "packing"
WITHOUT_FACTORY_CERTIFICATE = 3
_POINTS = (("60", "60.04", "0.04"), ("64", "64.03", "0.03"), ("67", "67.05", "0.05"))


def record_files(plant: DemoPlant) -> dict[str, list[Row]]:
    """Rows of the ledger's further files."""
    born = local_date(plant.calendar.born_us)
    return {
        "organisations.csv": [
            {
                "id": "demo-cement",
                "name_zh": "演示水泥有限公司（模拟）",
                "name_en": "Demo Cement (simulated)",
                "industry": "水泥制造",
                "responsible": "王建国",
            }
        ],
        "documents.csv": [*_papers(plant), *_rules(born.year)],
        "people.csv": [
            _person("YG-001", "王建国", "计量管理员", "能源计量器具台账与检定计划", str(born - timedelta(days=240))),
            _person("YG-002", "李芳", "计量员", "抄表、数据核对与装拆", str(born - timedelta(days=240))),
            _person("YG-003", "赵敏", "化验员", "煤质与熟料化验", str(born - timedelta(days=420))),
        ],
    }


def _person(id_: str, name: str, post: str, work: str, trained: str) -> Row:
    return {
        "id": id_,
        "name": name,
        "department": "能源管理部",
        "post": post,
        "work": work,
        "training": "能源计量管理培训",
        "trained_on": trained,
    }


def _papers(plant: DemoPlant) -> list[Row]:
    """A manual of every instrument, a factory certificate of all but the last few."""
    instruments = [row["id"] for row in ledger_files(plant)["instruments.csv"]]
    rows = []
    for number, id_ in enumerate(instruments):
        rows.append({"id": f"SM-{id_}", "title": "使用说明书", "kind": "manual", "instrument": id_})
        if number < len(instruments) - WITHOUT_FACTORY_CERTIFICATE:
            factory = {"id": f"HG-{id_}", "title": "产品合格证", "kind": "factory_certificate", "instrument": id_}
            rows.append(factory)
    return rows


def _rules(year: int) -> list[Row]:
    return [
        {"id": "ZD-01", "title": "能源计量管理制度", "kind": "rule", "dated_on": f"{year - 1}-01-05"},
        {"id": "ZD-02", "title": "能源计量器具检定、校准和维护制度", "kind": "rule", "dated_on": f"{year - 1}-01-05"},
        {"id": "MB-01", "title": f"{year} 年目标：强检器具受检率 100 %", "kind": "target", "dated_on": f"{year}-01-04"},
    ]


def put_on_record(folder: Path, plant: DemoPlant, run: Callable[..., object]) -> None:
    """The in-house certificate with its confirmation, and the order that was taken back."""
    performed = local_date(plant.calendar.born_us) - timedelta(days=20)
    number = f"NB-{performed:%Y%m}-01"
    with tempfile.TemporaryDirectory() as work:
        record, certificate = Path(work) / "record.yaml", Path(work) / f"{number}.xml"
        record.write_text(_calibration(plant, number, performed.isoformat()), encoding="utf-8")
        run("certificate", "write", record, certificate)
        until = (performed + timedelta(days=364)).isoformat()
        run("certificate", "import", certificate, "--data", folder, "--valid-until", until, *WHO)
    requirement = "熟料氧化钙测定误差不超过 0.3 %"
    on = (performed + timedelta(days=2)).isoformat()
    said = ("--requirement", requirement, "--conclusion", "pass", "--person", "王建国", "--on", on)
    run("certificate", "confirm", number, "--data", folder, *said, *WHO)
    place = next(each for each in FITTED if each.device == CHECKED)
    who = ("--actor", "李芳", "--reason")
    evidence = "包装机计数与电量之比偏低 2 %"
    given = ("--point", place.point, "--evidence", evidence, "--data", folder, *who, "与包装计数不符")
    order = re.search(rf"{re.escape(instrument_id(place))}-[0-9]{{8}}", str(run("replace", "order", *given)))
    assert order is not None, "the command names the order it gave"
    run("replace", "cancel", order[0], "--data", folder, *who, "现场核查：包装机计数器受潮，电能表正常")


WHO = ("--actor", "王建国", "--reason", "厂内校准")


def _calibration(plant: DemoPlant, number: str, performed: str) -> str:
    place = next(each for each in FITTED if each.device == CALIBRATED)
    row = next(row for row in ledger_files(plant)["instruments.csv"] if row["id"] == instrument_id(place))
    points = "\n".join(
        f'  - {{reference: "{reference}", measured: "{measured}", error: "{error}", expanded: "0.08", k: "2"}}'
        for reference, measured, error in _POINTS
    )
    return f"""number: {number}
performed_on: {performed}
laboratory: 演示水泥有限公司化验室（模拟）
city: 演示市
person: 赵敏
customer: 演示水泥有限公司（模拟）
item:
  name: "{row["name"]}"
  maker: "{row["maker"]}"
  model: "{row["model"] or "-"}"
  serial: "{row["serial"]}"
  id: "{row["id"]}"
standards:
  - name: 水泥熟料标准样品
    serial: GSB-08
    certificate: {{number: GBW-2026-03, issuer: 演示标准物质中心（模拟）}}
method: 与标准样品比较
quantity: 氧化钙含量
unit: \\percent
error_unit: \\percent
coverage_probability: "0.95"
points:
{points}
"""
