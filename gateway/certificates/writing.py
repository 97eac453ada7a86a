"""Writing a DCC (schema 3.3.0) for a calibration done in the own house (内部校准)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from lxml import etree
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gateway.certificates.quantities import DCC, SI

SCHEMA_VERSION = "3.3.0"
MAX_POINTS = 1_000
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CertificateOfStandard(_Strict):
    """The certificate of the standard used; ``sha256`` of its file where that is held."""

    number: Text
    issuer: Text
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class StandardUsed(_Strict):
    """A standard compared with; an in-house calibration stands on nothing but its certificate."""

    name: Text
    serial: Text
    certificate: CertificateOfStandard


class CalibratedItem(_Strict):
    """What was calibrated; ``id`` is the 管理编号."""

    name: Text
    maker: Text
    model: Text
    serial: Text
    id: Text


class Point(_Strict):
    """One point: reference, indication, error (indication − reference), expanded uncertainty of the error, k."""

    reference: Decimal
    measured: Decimal
    error: Decimal
    expanded: Annotated[Decimal, Field(ge=0)]
    k: Annotated[Decimal, Field(gt=0)]


class InHouseCalibration(_Strict):
    """A calibration record as the laboratory's file holds it. Units are D-SI texts (``\\kilo\\watt\\hour``)."""

    number: Text
    performed_on: date
    laboratory: Text
    city: Text
    person: Text
    customer: Text
    item: CalibratedItem
    standards: Annotated[list[StandardUsed], Field(min_length=1, max_length=50)]
    method: Text
    quantity: Text
    unit: Text
    error_unit: Text
    coverage_probability: Annotated[Decimal, Field(gt=0, le=1)]
    points: Annotated[list[Point], Field(min_length=1, max_length=MAX_POINTS)]
    conformity: Literal["pass", "fail"] | None = None
    recalibrate_on: date | None = None

    @model_validator(mode="after")
    def _errors_agree(self) -> "InHouseCalibration":
        if self.error_unit == self.unit:
            for point in self.points:
                if point.error != point.measured - point.reference:
                    raise ValueError(f"the error at {point.reference} is not indication minus reference")
        return self


def write_certificate(record: InHouseCalibration, software: str, release: str) -> bytes:
    """The DCC as UTF-8 XML; ``software`` and its ``release`` stand in it as what wrote it."""
    root = etree.Element(f"{{{DCC}}}digitalCalibrationCertificate", nsmap={"dcc": DCC, "si": SI})
    root.set("schemaVersion", SCHEMA_VERSION)
    administrative = _dcc(root, "administrativeData")
    wrote = _dcc(_dcc(administrative, "dccSoftware"), "software")
    _named(wrote, "name", software)
    _dcc(wrote, "release", release)
    _core(administrative, record)
    _item(_dcc(_dcc(administrative, "items"), "item"), record.item)
    _contact(_dcc(_dcc(administrative, "calibrationLaboratory"), "contact"), record.laboratory, record.city)
    person = _dcc(_dcc(administrative, "respPersons"), "respPerson")
    _named(_dcc(person, "person"), "name", record.person)
    _dcc(person, "mainSigner", "true")
    _contact(_dcc(administrative, "customer"), record.customer, record.city)
    _statements(administrative, record)
    _results(_dcc(_dcc(root, "measurementResults"), "measurementResult"), record)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)  # type: ignore[no-any-return]


def _dcc(parent: etree._Element, tag: str, text: str | None = None, ref_type: str = "") -> etree._Element:
    element = etree.SubElement(parent, f"{{{DCC}}}{tag}")
    if ref_type:
        element.set("refType", ref_type)
    element.text = text
    return element


def _si(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{SI}}}{tag}")
    element.text = text
    return element


def _named(parent: etree._Element, tag: str, text: str) -> None:
    _dcc(_dcc(parent, tag), "content", text)


def _core(administrative: etree._Element, record: InHouseCalibration) -> None:
    core = _dcc(administrative, "coreData")
    _dcc(core, "countryCodeISO3166_1", "CN")
    _dcc(core, "usedLangCodeISO639_1", "zh")
    _dcc(core, "mandatoryLangCodeISO639_1", "zh")
    _dcc(core, "uniqueIdentifier", record.number)
    _dcc(core, "beginPerformanceDate", record.performed_on.isoformat())
    _dcc(core, "endPerformanceDate", record.performed_on.isoformat())
    _dcc(core, "performanceLocation", "laboratory")


def _identified(parent: etree._Element, *pairs: tuple[str, str]) -> None:
    listed = _dcc(parent, "identifications")
    for issuer, value in pairs:
        each = _dcc(listed, "identification")
        _dcc(each, "issuer", issuer)
        _dcc(each, "value", value)


def _item(element: etree._Element, item: CalibratedItem) -> None:
    _named(element, "name", item.name)
    _named(_dcc(element, "manufacturer"), "name", item.maker)
    _dcc(element, "model", item.model)
    _identified(element, ("manufacturer", item.serial), ("customer", item.id))


def _contact(element: etree._Element, name: str, city: str) -> None:
    _named(element, "name", name)
    location = _dcc(element, "location")
    _dcc(location, "city", city)
    _dcc(location, "countryCode", "CN")


def _statements(administrative: etree._Element, record: InHouseCalibration) -> None:
    if record.conformity is None and record.recalibrate_on is None:
        return
    statements = _dcc(administrative, "statements")
    if record.conformity is not None:
        _dcc(_dcc(statements, "statement", ref_type="basic_conformity"), "conformity", record.conformity)
    if record.recalibrate_on is not None:
        statement = _dcc(statements, "statement", ref_type="basic_recalibration")
        _dcc(statement, "date", record.recalibrate_on.isoformat())


def _results(result: etree._Element, record: InHouseCalibration) -> None:
    _named(result, "name", record.quantity)
    method = _dcc(_dcc(result, "usedMethods"), "usedMethod")
    _named(method, "name", record.method)
    equipments = _dcc(result, "measuringEquipments")
    for standard in record.standards:
        used = _dcc(equipments, "measuringEquipment", ref_type="basic_normalUsed")
        _named(used, "name", standard.name)
        link = _dcc(used, "certificate")
        _named(link, "referral", standard.certificate.issuer)
        _dcc(link, "referralID", standard.certificate.number)
        _dcc(link, "procedure", "sha256" if standard.certificate.sha256 else "analogue")
        _dcc(link, "value", standard.certificate.sha256 or standard.certificate.number)
        _identified(used, ("manufacturer", standard.serial))
    each = _dcc(_dcc(result, "results"), "result")
    _named(each, "name", record.quantity)
    table = _dcc(_dcc(each, "data"), "list")
    points = record.points
    _quantity(table, "basic_referenceValue", [one.reference for one in points], record.unit)
    _quantity(table, "basic_measuredValue", [one.measured for one in points], record.unit)
    error = _quantity(table, "basic_measurementError", [one.error for one in points], record.error_unit)
    stated = _si(_si(error, "measurementUncertaintyUnivariateXMLList"), "expandedMUXMLList")
    _si(stated, "valueExpandedMUXMLList", _list([one.expanded for one in points]))
    _si(stated, "coverageFactorXMLList", _list([one.k for one in points]))
    _si(stated, "coverageProbabilityXMLList", _list([record.coverage_probability]))


def _quantity(table: etree._Element, ref_type: str, values: list[Decimal], unit: str) -> etree._Element:
    numbers = _si(_dcc(table, "quantity", ref_type=ref_type), "realListXMLList")
    _si(numbers, "valueXMLList", _list(values))
    _si(numbers, "unitXMLList", unit)
    return numbers


def _list(values: list[Decimal]) -> str:
    return " ".join(format(each, "f") for each in values)
