"""Forms B.1–B.7 of JJF 1356 from the live ledger.

Titles of all forms and the columns of B.3–B.7 are as pages quoting the norm print them (confidence 转载). The columns
of B.1 are inferred, those of B.2 our own (推断): each table says so under itself.
"""

from collections.abc import Callable

from gateway.audit.ledger import LedgerRow
from gateway.domain.ledger import InstallationRole, Person
from gateway.reports.document import Boxes, Cell, Document, Table
from gateway.reports.making import Making

QUOTED = "Columns as pages quoting JJF 1356-2012 annex B print them; the norm's own text was not read."
INFERRED = (
    "Title as pages quoting JJF 1356-2012 annex B print it; the columns are inferred, the norm's form was not seen."
)


def boxes(making: Making) -> Boxes:
    """编制, 审核, 批准 and the unit's seal, empty."""
    return Boxes(
        signed=(making.t("Prepared by"), making.t("Checked by"), making.t("Approved by")),
        seals=(making.t("Unit (seal)"),),
    )


def people(making: Making) -> Table:
    """Form B.1."""
    titles = (
        ("Row", 1),
        ("Full name", 2),
        ("Department", 2),
        ("Post", 2),
        ("Energy metering work", 3),
        ("Training and when", 3),
        ("Certificate of qualification", 3),
        ("Valid until", 2),
    )
    registry, asking = making.sources.registry, making.asking
    records = registry.objects(asking.organisation, "person", asking.as_of_us, asking.known_seq)
    rows: list[list[Cell]] = []
    for number, record in enumerate(records, start=1):
        person = record.read_as(Person)
        training = making.joined([person.training, person.trained_on])
        rows.append(
            [
                number,
                person.name,
                person.department,
                person.post,
                person.work,
                training,
                person.qualification,
                person.valid_until,
            ]
        )
    return Table(
        id="b1",
        title=making.t("Form B.1 People in energy metering"),
        columns=making.columns(titles),
        rows=rows,
        source=making.t(INFERRED),
    )


def equipment(making: Making) -> Table:
    """Form B.2: main energy-using equipment, as the metering points name it."""
    titles = (
        ("Row", 1),
        ("Main equipment", 4),
        ("Process", 2),
        ("Energy kind", 2),
        ("Metering point", 3),
        ("Instrument", 3),
        ("Equipping", 2),
    )
    rows: list[list[Cell]] = []
    for _depth, fact in making.there.walk():
        point = fact.point
        if not point.main_equipment:
            continue
        meter = fact.meter.installation.instrument if fact.meter else ""
        state = making.term("equipping", "equipped" if fact.meter else "lacking" if point.must_measure else "optional")
        rows.append(
            [
                len(rows) + 1,
                point.main_equipment,
                point.process,
                making.energy_kind(point.energy_kind),
                f"{making.name(point)} ({point.id})",
                meter,
                state,
            ]
        )
    return Table(
        id="b2",
        title=making.t("Form B.2 Main energy-using equipment"),
        columns=making.columns(titles),
        rows=rows,
        source=making.t(INFERRED),
    )


def instruments(making: Making, id_: str, title: str, wanted: Callable[[LedgerRow], bool]) -> Table:
    """A form with the columns of B.3 over the instruments wanted."""
    titles = (
        ("Row", 1),
        ("Instrument name", 3),
        ("Model", 3),
        ("Accuracy class", 2),
        ("Measuring range", 2),
        ("Maker", 3),
        ("Serial number", 3),
        ("Management number", 3),
        ("Place of use and purpose", 4),
        ("Verification cycle/calibration interval", 2),
        ("State (qualified/limited/out of use)", 2),
    )
    rows = [_instrument_row(making, number, row) for number, row in enumerate(filter(wanted, making.rows), start=1)]
    return Table(
        id=id_,
        title=making.t(title),
        columns=making.columns(titles),
        rows=rows,
        source=making.t(QUOTED),
        notes=(
            making.t(
                "The accuracy class is the one of the certificate that counts on the day; without one, the plate's."
            ),
        ),
    )


def _instrument_row(making: Making, number: int, row: LedgerRow) -> list[Cell]:
    card = row.instrument
    held = row.certificate.accuracy_class if row.certificate else ""
    place = card.location or making.name(row.point)
    purpose = row.point.purpose if row.point else ""
    cycle = making.t("%(count)s months", count=card.cycle_months) if card.cycle_months else ""
    return [
        number,
        card.name or making.term("instrument_kind", card.kind),
        card.model,
        held or card.accuracy_class,
        card.range,
        card.maker,
        card.serial,
        card.id,
        making.joined([place, purpose]),
        cycle,
        making.term("metrological_state", card.metrological_state),
    ]


def _meter_at(level: int) -> Callable[[LedgerRow], bool]:
    return lambda row: row.point is not None and row.point.level == level and row.role == InstallationRole.METER


def _other(row: LedgerRow) -> bool:
    return row.point is None or row.point.level not in {1, 2, 3} or row.role != InstallationRole.METER


LISTS: dict[str, tuple[str, Callable[[LedgerRow], bool]]] = {
    "b3": ("Form B.3 Energy metering instruments", lambda _row: True),
    "b4": ("Form B.4 Instruments at the unit's boundary (level 1)", _meter_at(1)),
    "b5": ("Form B.5 Instruments at main sub-units (level 2)", _meter_at(2)),
    "b6": ("Form B.6 Instruments at main equipment (level 3)", _meter_at(3)),
    "b7": ("Form B.7 Other instruments", _other),
}
"""Forms with the columns of B.3, by id: title and which instruments stand in them."""


def table_of(making: Making, id_: str) -> Table:
    """One of the forms B.1 to B.7."""
    if id_ == "b1":
        return people(making)
    if id_ == "b2":
        return equipment(making)
    title, wanted = LISTS[id_]
    return instruments(making, id_, title, wanted)


def form(making: Making, id_: str) -> Document:
    """A form alone, with its empty boxes."""
    table = table_of(making, id_)
    return making.document(f"form-{id_}", table.title, [table, boxes(making)], landscape=True)
