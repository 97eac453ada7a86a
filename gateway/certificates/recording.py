"""From a certificate file to ledger entries: the certificate, the standards it names, and the file itself by hash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from unicodedata import normalize

from gateway.certificates.evidence import Evidence
from gateway.certificates.model import (
    FAILS,
    PASSES,
    DigitalCertificate,
    Item,
    Link,
    Quantity,
    ResultTable,
    UsedStandard,
)
from gateway.certificates.percent import plain, texts, worst
from gateway.certificates.quantities import spread
from gateway.certificates.refusal import CertificateRefusedError, MissingContentError
from gateway.domain.ledger import CertificateKind, normal_serial
from gateway.domain.time import recordable
from gateway.journal import canonical
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.registry.importing import LedgerState
from gateway.registry.recording import MAX_ID_LENGTH, object_draft
from gateway.sealing.tiles import write_durably

MAX_OBJECT_BYTES = 50_000
MAX_SAID = 1_000
_DAYS = frozenset({"performed_on", "valid_until"})
REQUIRED = ("kind", "serial", "performed_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who puts it on record, when (µs UTC), why, and from which file."""

    at_us: int
    actor: str
    reason: str
    source: str


def store(folder: DataFolder, evidence: Evidence) -> None:
    """Keep the file under ``blobs/`` by its hash; durable before any entry names it."""
    path = folder.blobs / evidence.sha256
    if not path.is_file():
        write_durably(path, evidence.content)


def certificate_drafts(
    evidence: Evidence, said: Mapping[str, str], state: LedgerState, organisation: str, act: Act
) -> list[Draft]:
    """The entries of one file: standards not on record yet, then the certificate; none when that is on record already.

    ``said``: fields the operator gave (number, kind, instrument, valid_until …). For a DCC they may add what the file
    does not say; a number, serial or date that contradicts the file is refused. For PDF and OFD they are all there is,
    beside what is on record of that number already.

    Raises:
        CertificateRefusedError: missing, contradicting, or no single instrument of that serial number on record.
    """
    drafts: list[Draft] = []
    given = _readable(said)
    read: dict[str, Any] = {}
    if evidence.certificate is not None:
        read = {name: value for name, value in _from_file(evidence.certificate, given).items() if value}
        drafts = _standards(evidence.certificate.standards, read["laboratory"], state, organisation, act)
    number = normalize("NFC", str(read.get("number") or given.get("number", "")))
    known = dict(state.versions["certificate", number][-1].object) if state.has("certificate", number) else {}
    same_kind = known.get("file_kind") == evidence.file_kind
    if same_kind and known.get("document") != evidence.sha256:
        raise CertificateRefusedError("another file of certificate '%(number)s' is on record already", number=number)
    # what people added to it stays: a confirmation, a last day
    fields: dict[str, Any] = {**known, **read, **given}
    fields.pop("number", None)
    _check(number, fields)
    if not fields.get("instrument"):
        customers = _customers(evidence.certificate)
        fields["instrument"] = instrument_of(state, str(fields["serial"]), customers)
    elif not state.has("instrument", str(fields["instrument"])):
        raise CertificateRefusedError("no instrument '%(id)s' is on record", id=str(fields["instrument"]))
    fields |= {"document": evidence.sha256, "file_kind": evidence.file_kind, **_checks(evidence)}
    object_ = _fitting({name: value for name, value in fields.items() if value not in (None, "", [])})
    if state.has("certificate", number) and dict(state.versions["certificate", number][-1].object) == object_:
        return []
    drafts.append(_draft("certificate", organisation, number, object_, act))
    return drafts


def _draft(kind: str, organisation: str, id_: str, object_: Mapping[str, Any], act: Act) -> Draft:
    document = canonical.plain(dict(object_))
    try:
        return object_draft(
            kind,
            organisation,
            id_,
            document,
            at_us=act.at_us,
            from_us=None,
            to_us=None,
            actor=act.actor,
            reason=act.reason,
            source=act.source,
        )
    except ValueError as error:
        raise CertificateRefusedError("'%(id)s' cannot be an id in the ledger", id=id_[:MAX_ID_LENGTH]) from error


def instrument_of(state: LedgerState, serial: str, customers: Sequence[str]) -> str:
    """The instrument on record with a maker's serial number; of several, the one whose id the customer gave it.

    Raises:
        CertificateRefusedError: none, or more than one.
    """
    found = [
        id_
        for (kind, id_), versions in state.versions.items()
        if kind == "instrument"
        and not versions[-1].withdrawn
        and serial
        and normal_serial(str(versions[-1].object.get("serial") or "")) == normal_serial(serial)
    ]
    named = [id_ for id_ in found if id_ in customers]
    if len(found) == 1 or len(named) == 1:
        return (named or found)[0]
    facts = {"serial": serial, "count": str(len(found))}
    message = "%(count)s instruments on record have serial number '%(serial)s'; name one with --instrument"
    raise CertificateRefusedError(message, **facts)


def _readable(said: Mapping[str, str]) -> dict[str, str]:
    """What the operator gave, in the journal's Unicode form; blank fields left out.

    Raises:
        CertificateRefusedError: a day that is none, another result than pass, fail and none, or text nobody can read.
    """
    given = {name: normalize("NFC", value).strip() for name, value in said.items()}
    given = {name: value for name, value in given.items() if value}
    for name, value in given.items():
        if len(value) > MAX_SAID or not value.isprintable():
            raise CertificateRefusedError("'%(field)s' is too long or holds control characters", field=name)
        if name in _DAYS and not is_day(value):
            raise CertificateRefusedError("'%(text)s' is not a date", text=value[:60])
    if given.get("result", "none") not in {"pass", "fail", "none"}:
        raise CertificateRefusedError("a result is pass, fail or none, not '%(text)s'", text=given["result"][:60])
    return given


def is_day(text: str) -> bool:
    """Whether a text is a civil date as the ledger has them."""
    try:
        day = date.fromisoformat(text)
        return day.isoformat() == text and recordable(day)
    except ValueError:
        return False


def _customers(certificate: DigitalCertificate | None) -> list[str]:
    if certificate is None:
        return []
    return [value for issuer, value in certificate.items[0].identifications if issuer in {"customer", "owner"}]


def _check(number: str, fields: Mapping[str, Any]) -> None:
    missing = [name for name in REQUIRED if not fields.get(name)]
    if not number:
        missing.insert(0, "number")
    if missing:
        raise MissingContentError(tuple(missing))
    if fields["kind"] not in set(CertificateKind):
        raise CertificateRefusedError("'%(kind)s' is no kind of certificate", kind=str(fields["kind"]))


def _from_file(certificate: DigitalCertificate, given: Mapping[str, str]) -> dict[str, Any]:
    item = certificate.items[0]
    final, found = worst(certificate.tables, "as_left"), worst(certificate.tables, "as_found")
    fields: dict[str, Any] = {
        "number": certificate.number,
        "kind": CertificateKind.CALIBRATION.value,
        "serial": item.serial,
        "laboratory": certificate.laboratory,
        "laboratory_authorisation": certificate.laboratory_code,
        "performed_on": certificate.performed_to,
        "performed_from": certificate.performed_from,
        "issued_on": certificate.issued_on,
        "result": certificate.result,
        "conformity": certificate.conformity,
        "accuracy_class": item.classes[0][1] if item.classes else "",
        "error_percent": plain(final.error) if final else "",
        "uncertainty_percent": plain(final.expanded) if final else "",
        "coverage_factor": plain(final.k) if final else "",
        "as_found_error_percent": plain(found.error) if found else "",
        "as_found_uncertainty_percent": plain(found.expanded) if found else "",
        "as_found_result": _as_found(certificate.tables),
        "standards": ";".join(standard_id(each) for each in certificate.standards),
        "supersedes": certificate.replaces,
        "substitution": certificate.change if certificate.replaces else "",
        "previous": _link(certificate.previous),
        "recalibrate_on": certificate.recalibrate_on,
        "recalibrate_within": certificate.recalibrate_within,
        "signers": list(certificate.signers),
        "customer": certificate.customer,
        "methods": list(certificate.methods),
        "schema_version": certificate.schema_version,
        "items": [_item(each) for each in certificate.items],
        "environment": [_quantity(each) for each in certificate.environment],
        "tables": [_table(each) for each in certificate.tables],
    }
    if certificate.validity_range is not None:
        span = certificate.validity_range
        fields["range"] = [_quantity(each) for each in (span.lower, span.upper) if each is not None]
    for name, value in given.items():
        if name in {"number", "serial", "performed_on"} and value != fields[name]:
            facts = {"field": name, "given": value, "file": str(fields[name])}
            raise CertificateRefusedError("'%(field)s': you say %(given)s, the file says %(file)s", **facts)
    return {**fields, **given}


def _as_found(tables: Sequence[ResultTable]) -> str:
    """What the instrument was before it was adjusted: by the statement of each point, else by the limits stated."""
    verdicts = set()
    for table in (each for each in tables if each.stage == "as_found"):
        verdicts |= {"fail" if each in FAILS else "pass" if each in PASSES else "" for each in table.conformity}
        if table.error is not None and table.lower_limit is not None and table.upper_limit is not None:
            count = len(table.error.values)
            limits = zip(spread(table.lower_limit.values, count), spread(table.upper_limit.values, count), strict=True)
            if table.error.unit == table.lower_limit.unit == table.upper_limit.unit:
                pairs = zip(table.error.values, limits, strict=True)
                verdicts |= {"pass" if low <= error <= high else "fail" for error, (low, high) in pairs}
    if "fail" in verdicts:
        return "fail"
    return "pass" if verdicts == {"pass"} else ""


def standard_id(standard: UsedStandard) -> str:
    """The id of a standard in the ledger: its serial number, else its certificate's number, else its name."""
    number = standard.certificate.number if standard.certificate is not None else ""
    chosen = standard.serial or number or standard.name
    return chosen.replace(";", ",").replace("；", ",").strip()[:MAX_ID_LENGTH].strip()


def _standards(
    standards: Sequence[UsedStandard], laboratory: str, state: LedgerState, organisation: str, act: Act
) -> list[Draft]:
    drafts = {}
    for each in standards:
        id_ = standard_id(each)
        if state.has("standard", id_) or id_ in drafts:
            continue
        link = each.certificate
        object_ = {
            "name": each.name,
            "serial": each.serial,
            "certificate_number": link.number if link else "",
            "laboratory": (link.issuer if link else "") or laboratory,
            "link": _link(link),
        }
        document = {name: value for name, value in object_.items() if value}
        drafts[id_] = _draft("standard", organisation, id_, document, act)
    return list(drafts.values())


def _checks(evidence: Evidence) -> dict[str, str]:
    report = evidence.signature
    return {
        "authenticity": str(report.authenticity),
        "signer": report.signer,
        "signed_at": report.signed_at,
        "signature_note": report.note,
        "schema_check": str(evidence.schema),
    }


def _fitting(object_: dict[str, Any]) -> dict[str, Any]:
    """The object; without its tables when these are too many for one entry (they stay in the file)."""
    object_ = canonical.plain(object_)
    for name in ("tables", "items", "environment", "methods"):
        if len(canonical.encode_any(object_)) <= MAX_OBJECT_BYTES:
            break
        if object_.pop(name, None) is not None:
            object_["left_in_file"] = ";".join(filter(None, (object_.get("left_in_file"), name)))
    return object_


def _link(link: Link | None) -> dict[str, Any] | None:
    if link is None:
        return None
    found = {
        "number": link.number,
        "issuer": link.issuer,
        "procedure": link.procedure,
        "digest": link.digest,
        "in_validity": None if link.in_validity is None else int(link.in_validity),
        "traceable": None if link.traceable is None else int(link.traceable),
        "higher": _link(link.higher),
    }
    return {name: value for name, value in found.items() if value is not None and value != ""}


def _quantity(quantity: Quantity) -> dict[str, Any]:
    found: dict[str, Any] = {"meaning": " ".join(quantity.ref_types), "name": quantity.name, "unit": quantity.unit}
    found["values"] = texts(quantity)
    if quantity.expanded:
        found |= {"expanded": [plain(each) for each in quantity.expanded], "k": [plain(each) for each in quantity.k]}
    elif quantity.standard:
        found["standard"] = [plain(each) for each in quantity.standard]
    return {name: value for name, value in found.items() if value}


def _item(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": item.name,
        "manufacturer": item.manufacturer,
        "model": item.model,
        "identifications": [list(each) for each in item.identifications],
        "classes": [list(each) for each in item.classes],
        "quantities": [_quantity(each) for each in item.quantities],
        "sub_items": [_item(each) for each in item.sub_items],
    }
    return {name: value for name, value in found.items() if value}


def _table(table: ResultTable) -> dict[str, Any]:
    columns = {
        "reference": table.reference,
        "measured": table.measured,
        "error": table.error,
        "lower_limit": table.lower_limit,
        "upper_limit": table.upper_limit,
    }
    found: dict[str, Any] = {"title": table.title, "stage": table.stage, "computed": int(table.computed)}
    found |= {name: _quantity(each) for name, each in columns.items() if each is not None}
    found["others"] = [_quantity(each) for each in table.others]
    found["conformity"] = list(table.conformity)
    return {name: value for name, value in found.items() if value not in ("", [])}
