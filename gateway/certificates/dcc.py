"""Reading a PTB digital calibration certificate, schema 3.0 to 3.3, into ``DigitalCertificate``.

Meanings come from the ``refType`` convention (``basic_…``); where a file does not follow it, the reader says what it
missed and refuses. Source of paths: PTB XSD 3.0.0–3.3.0 and the Good Practice samples (原文 of the schemas).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

from lxml import etree

from gateway.certificates.model import (
    DigitalCertificate,
    Item,
    Link,
    Quantity,
    Range,
    ResultTable,
    UsedStandard,
)
from gateway.certificates.quantities import DCC, NS, name_of, read_quantity, ref_types, text_of
from gateway.certificates.refusal import CertificateRefusedError, MissingContentError
from gateway.domain.time import recordable

ROOT = f"{{{DCC}}}digitalCalibrationCertificate"
MAX_CHAIN = 16
MAX_TABLES = 500
_BEFORE = frozenset({"beforeAdjustment", "beforeRepair"})
_AFTER = frozenset({"afterAdjustment", "afterRepair"})
_CONFORMITIES = frozenset({"pass", "fail", "conditionalPass", "conditionalFail", "noPass", "noFail"})
_ADMINISTRATIVE = "dcc:administrativeData/"
_CORE = f"{_ADMINISTRATIVE}dcc:coreData/"
_RESULT = "dcc:measurementResults/dcc:measurementResult"


def is_dcc(root: etree._Element) -> bool:
    """Whether the root is a DCC's."""
    return bool(root.tag == ROOT)


def read_certificate(root: etree._Element) -> DigitalCertificate:
    """The certificate below a DCC root.

    Raises:
        MissingContentError: what a record needs is not there, all of it listed.
        CertificateRefusedError: another document, another major version, or a number that cannot be read.
    """
    version = str(root.get("schemaVersion") or "")
    if not is_dcc(root):
        raise CertificateRefusedError("the file is no digital calibration certificate (DCC)")
    if not re.fullmatch(r"3\.[0-3]\.\d+", version):
        raise CertificateRefusedError("DCC schema version '%(version)s' is not known; 3.0 to 3.3 are", version=version)
    missing: list[str] = []
    required = {
        name: _wanted(root, f"{_CORE}dcc:{name}", missing)
        for name in ("uniqueIdentifier", "beginPerformanceDate", "endPerformanceDate")
    }
    laboratory = _wanted(root, f"{_ADMINISTRATIVE}dcc:calibrationLaboratory/dcc:contact/dcc:name/dcc:content", missing)
    items = tuple(_item(each) for each in root.iterfind(f"{_ADMINISTRATIVE}dcc:items/dcc:item", NS))
    if not items:
        missing.append("administrativeData/items/item")
    elif not items[0].serial:
        missing.append("item/identifications/identification[issuer='manufacturer']/value")
    tables = tuple(_tables(root))
    if not tables:
        missing.append(
            "measurementResult/results//quantity[@refType='basic_measurementError'], "
            "or basic_referenceValue with basic_measuredValue"
        )
    if missing:
        raise MissingContentError(tuple(missing))
    statements = _statements(root)
    return DigitalCertificate(
        schema_version=version,
        number=required["uniqueIdentifier"],
        performed_from=_day(required["beginPerformanceDate"]),
        performed_to=_day(required["endPerformanceDate"]),
        issued_on=_day(text_of(root, f"{_CORE}dcc:issueDate")),
        received_on=_day(text_of(root, f"{_CORE}dcc:receiptDate")),
        location=text_of(root, f"{_CORE}dcc:performanceLocation"),
        identifications=_identifications(root, f"{_CORE}dcc:identifications"),
        replaces=text_of(root, f"{_CORE}dcc:reportAmendedSubstituted/dcc:replacedUniqueIdentifier"),
        change=text_of(root, f"{_CORE}dcc:reportAmendedSubstituted/dcc:typeOfChange"),
        previous=_link(root.find(f"{_CORE}dcc:previousReport", NS), 0),
        items=items,
        laboratory=laboratory,
        laboratory_code=text_of(root, f"{_ADMINISTRATIVE}dcc:calibrationLaboratory/dcc:calibrationLaboratoryCode"),
        signers=tuple(
            name_of(each, "dcc:person/dcc:name")
            for each in root.iterfind(f"{_ADMINISTRATIVE}dcc:respPersons/dcc:respPerson", NS)
        ),
        customer=name_of(root, f"{_ADMINISTRATIVE}dcc:customer/dcc:name"),
        standards=tuple(_standards(root)),
        methods=tuple(
            " ".join(filter(None, (name_of(each), *(norm.text or "" for norm in each.iterfind("dcc:norm", NS)))))
            for each in root.iterfind(f"{_RESULT}/dcc:usedMethods/dcc:usedMethod", NS)
        ),
        environment=tuple(_environment(root)),
        tables=tables,
        validity_range=_range(statements),
        conformity=_conformity(statements),
        recalibrate_on=_day(_of(statements, "basic_recalibration", "dcc:date")),
        recalibrate_within=_of(statements, "basic_recalibration", "dcc:period"),
    )


def _wanted(root: etree._Element, path: str, missing: list[str]) -> str:
    found = text_of(root, path)
    if not found:
        missing.append(path.replace("dcc:", ""))
    return found


def _day(text: str) -> str:
    """xs:date allows an offset behind the day; the day is what counts."""
    if not text:
        return ""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError as error:
        raise CertificateRefusedError("'%(text)s' is not a date", text=text[:60]) from error
    if not recordable(day):
        raise CertificateRefusedError("'%(text)s' is not a date", text=text[:60])
    return day.isoformat()


def _identifications(element: etree._Element, path: str = "dcc:identifications") -> tuple[tuple[str, str], ...]:
    return tuple(
        (text_of(each, "dcc:issuer"), text_of(each, "dcc:value"))
        for each in element.iterfind(f"{path}/dcc:identification", NS)
    )


def _item(element: etree._Element) -> Item:
    return Item(
        name=name_of(element),
        manufacturer=name_of(element, "dcc:manufacturer/dcc:name"),
        model=text_of(element, "dcc:model"),
        identifications=_identifications(element),
        classes=tuple(
            (text_of(each, "dcc:reference"), text_of(each, "dcc:classID"))
            for each in element.iterfind("dcc:equipmentClass", NS)
        ),
        quantities=tuple(_quantities(element, "dcc:itemQuantities/dcc:itemQuantity")),
        sub_items=tuple(_item(each) for each in element.iterfind("dcc:subItems/dcc:item", NS)),
    )


def _link(element: etree._Element | None, depth: int) -> Link | None:
    if element is None:
        return None
    if depth >= MAX_CHAIN:
        raise CertificateRefusedError("the chain of linked reports is longer than %(limit)s", limit=str(MAX_CHAIN))
    return Link(
        number=text_of(element, "dcc:referralID"),
        issuer=name_of(element, "dcc:referral"),
        procedure=text_of(element, "dcc:procedure"),
        digest=text_of(element, "dcc:value"),
        in_validity=_flag(text_of(element, "dcc:inValidityRange")),
        traceable=_flag(text_of(element, "dcc:traceable")),
        higher=_link(element.find("dcc:linkedReport", NS), depth + 1),
    )


def _flag(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text)


def _standards(root: etree._Element) -> Iterator[UsedStandard]:
    for each in root.iterfind(f"{_RESULT}/dcc:measuringEquipments/dcc:measuringEquipment", NS):
        if "basic_normalUsed" not in ref_types(each):
            continue
        issued = dict(reversed(_identifications(each)))
        serial = issued.get("manufacturer") or next(iter(issued.values()), "")
        yield UsedStandard(name_of(each), serial, _link(each.find("dcc:certificate", NS), 0))


def _environment(root: etree._Element) -> Iterator[Quantity]:
    for each in root.iterfind(f"{_RESULT}/dcc:influenceConditions/dcc:influenceCondition", NS):
        if set(ref_types(each)) & {"basic_temperature", "basic_humidityRelative", "basic_pressureAmbient"}:
            yield from _quantities(each, "dcc:data//dcc:quantity")


def _quantities(element: etree._Element, path: str) -> Iterator[Quantity]:
    for each in element.iterfind(path, NS):
        quantity = read_quantity(each)
        if quantity is not None:
            yield quantity


# -- statements


def _statements(root: etree._Element) -> list[etree._Element]:
    return list(root.iterfind(f"{_ADMINISTRATIVE}dcc:statements/dcc:statement", NS))


def _of(statements: list[etree._Element], ref_type: str, path: str) -> str:
    return next((text_of(each, path) for each in statements if ref_type in ref_types(each)), "")


def _conformity(statements: list[etree._Element]) -> str:
    said = {
        word
        for each in statements
        if "basic_conformity" in ref_types(each)
        for word in (text_of(each, "dcc:conformity") or text_of(each, "dcc:conformityXMLList")).split()
    }
    for word in ("fail", "noPass", "conditionalFail", "noFail", "conditionalPass", "pass"):  # the worst one counts
        if word in said:
            return word
    return ""


def _range(statements: list[etree._Element]) -> Range | None:
    for name in ("basic_validityRange", "basic_measurementRange"):
        for statement in (each for each in statements if name in ref_types(each)):
            found = {ref: each for each in _quantities(statement, "dcc:data//dcc:quantity") for ref in each.ref_types}
            if found:
                return Range(found.get(f"{name}Min"), found.get(f"{name}Max"))
    return None


# -- results


def _tables(root: etree._Element) -> Iterator[ResultTable]:
    count = 0
    for result in root.iterfind(_RESULT, NS):
        sources = [(each, "as_left") for each in result.iterfind("dcc:results/dcc:result", NS)]
        for condition in result.iterfind("dcc:influenceConditions/dcc:influenceCondition", NS):
            status = text_of(condition, "dcc:status")
            if status in _BEFORE | _AFTER:
                sources.append((condition, "as_found" if status in _BEFORE else "as_left"))
        for element, stage in sources:
            for group in _groups(element):
                table = _table(group, name_of(group) or name_of(element), stage)
                if table is not None:
                    count += 1
                    if count > MAX_TABLES:
                        limit = str(MAX_TABLES)
                        raise CertificateRefusedError("the file holds more than %(limit)s tables", limit=limit)
                    yield table


def _groups(element: etree._Element) -> Iterator[etree._Element]:
    """The data element itself when quantities stand in it, and every list that holds quantities."""
    data = element.find("dcc:data", NS)
    if data is None:
        return
    if data.find("dcc:quantity", NS) is not None:
        yield data
    for each in data.iterfind(".//dcc:list", NS):
        # a list inside a quantity's metadata describes that quantity and is no table
        if each.find("dcc:quantity", NS) is not None and not any(
            etree.QName(parent).localname == "quantity" for parent in each.iterancestors()
        ):
            yield each


_MEANINGS = frozenset({"basic_referenceValue", "basic_measuredValue", "basic_measurementError"})


def _table(group: etree._Element, title: str, stage: str) -> ResultTable | None:
    found: dict[str, Quantity] = {}
    others: list[Quantity] = []
    conformity: tuple[str, ...] = ()
    for element in group.iterfind("dcc:quantity", NS):
        known = _MEANINGS & set(ref_types(element))
        quantity = read_quantity(element)
        if quantity is None:
            if known:
                form = ", ".join(etree.QName(each).localname for each in element.iterchildren("*"))
                raise CertificateRefusedError("'%(name)s' holds no real number: %(form)s", name=min(known), form=form)
            continue
        if not known:
            others.append(quantity)
        for name in known:
            if name in found:
                raise CertificateRefusedError("'%(name)s' stands twice in one table", name=name)
            found[name] = quantity
        for data in element.iterfind("dcc:measurementMetaData/dcc:metaData", NS):
            conformity = _metadata(data, found, others) or conformity
    return _joined(title, stage, found, tuple(others), conformity)


def _metadata(data: etree._Element, found: dict[str, Quantity], others: list[Quantity]) -> tuple[str, ...]:
    """Take up limits and calibration points that describe a quantity; its statements of conformity."""
    for each in _quantities(data, "dcc:data//dcc:quantity"):
        for name in each.ref_types:
            if name in {"basic_acceptanceLimitLower", "basic_acceptanceLimitUpper"}:
                found.setdefault(name, each)
    if "basic_calibrationValue" in ref_types(data):
        points = _quantities(data, "dcc:data/dcc:quantity")
        others.extend(replace(each, ref_types=("basic_calibrationValue", *each.ref_types)) for each in points)
    return _words(data) if "basic_conformity" in ref_types(data) else ()


def _joined(
    title: str, stage: str, found: dict[str, Quantity], others: tuple[Quantity, ...], conformity: tuple[str, ...]
) -> ResultTable | None:
    reference, measured = found.get("basic_referenceValue"), found.get("basic_measuredValue")
    error = found.get("basic_measurementError")
    if error is None and (reference is None or measured is None):
        return None
    limits = (found.get("basic_acceptanceLimitLower"), found.get("basic_acceptanceLimitUpper"))
    _same_length([each for each in (reference, measured, error) if each is not None])
    computed = error is None
    if error is None:
        error = _difference(measured, reference)
    return ResultTable(title, stage, reference, measured, error, *limits, others, conformity, computed)


def _words(data: etree._Element) -> tuple[str, ...]:
    words = tuple((text_of(data, "dcc:conformityXMLList") or text_of(data, "dcc:conformity")).split())
    unknown = sorted(set(words) - _CONFORMITIES)
    if unknown:
        raise CertificateRefusedError("'%(word)s' is no statement of conformity", word=unknown[0])
    return words


def _same_length(quantities: list[Quantity]) -> None:
    lengths = {len(each.values) for each in quantities}
    if len(lengths) > 1:
        facts = {"values": str(min(lengths)), "points": str(max(lengths))}
        raise CertificateRefusedError("a list holds %(values)s values for %(points)s points", **facts)


def _difference(measured: Quantity | None, reference: Quantity | None) -> Quantity | None:
    """Indication minus reference, where both are in one unit; None otherwise (a resistance against a temperature)."""
    if measured is None or reference is None or measured.unit != reference.unit:
        return None
    values: tuple[Decimal, ...] = tuple(a - b for a, b in zip(measured.values, reference.values, strict=True))
    return Quantity(("basic_measurementError",), "", measured.unit, values)
