"""D-SI quantities: scalars and lists, hybrids, and both ways of stating an uncertainty (D-SI 2.0/2.1 and 2.2).

A list of one value (unit, uncertainty, coverage factor) holds for all points; any other disagreement of lengths is
refused. Uncertainties in a form not known here are refused too: a number without its meaning is worth nothing.
"""

from decimal import Decimal, InvalidOperation

from lxml import etree

from gateway.certificates.model import Quantity
from gateway.certificates.refusal import CertificateRefusedError

DCC = "https://ptb.de/dcc"
SI = "https://ptb.de/si"
NS = {"dcc": DCC, "si": SI, "ds": "http://www.w3.org/2000/09/xmldsig#"}
MAX_POINTS = 10_000
MAX_DIGITS = 60
# (element, value, coverage factor); a value of None: the standard uncertainty is stated
_SCALAR_FORMS = (
    ("si:expandedUnc", "si:uncertainty", "si:coverageFactor"),
    ("si:measurementUncertaintyUnivariate/si:expandedMU", "si:valueExpandedMU", "si:coverageFactor"),
    ("si:coverageInterval", "si:standardUnc", ""),
    ("si:measurementUncertaintyUnivariate/si:standardMU", "si:valueStandardMU", ""),
    ("si:measurementUncertaintyUnivariate/si:coverageIntervalMU", "si:valueStandardMU", ""),
)
_LIST_FORMS = (
    ("si:expandedUncXMLList", "si:uncertaintyXMLList", "si:coverageFactorXMLList"),
    (
        "si:measurementUncertaintyUnivariateXMLList/si:expandedMUXMLList",
        "si:valueExpandedMUXMLList",
        "si:coverageFactorXMLList",
    ),
    ("si:coverageIntervalXMLList", "si:standardUncXMLList", ""),
    ("si:measurementUncertaintyUnivariateXMLList/si:standardMUXMLList", "si:valueStandardMUXMLList", ""),
    ("si:measurementUncertaintyUnivariateXMLList/si:coverageIntervalMUXMLList", "si:valueStandardMUXMLList", ""),
)
_PLAIN = frozenset(
    {
        "label",
        "quantityType",
        "value",
        "unit",
        "significantDigit",
        "dateTime",
        "labelXMLList",
        "quantityTypeXMLList",
        "valueXMLList",
        "unitXMLList",
        "significantDigitXMLList",
        "dateTimeXMLList",
    }
)


def text_of(element: etree._Element, path: str) -> str:
    """The text at a path below an element, blank when there is none."""
    found = element.find(path, NS)
    return "" if found is None or found.text is None else " ".join(found.text.split())


def name_of(element: etree._Element, path: str = "dcc:name") -> str:
    """A text in several languages: the first one, which is the one of the certificate's mandatory language."""
    return text_of(element, f"{path}/dcc:content")


def ref_types(element: etree._Element) -> tuple[str, ...]:
    """The conventional meanings of an element."""
    return tuple(str(element.get("refType") or "").split())


def read_quantity(element: etree._Element) -> Quantity | None:
    """A ``dcc:quantity``; None when it holds no number (text, formula, complex value)."""
    for tag in ("si:hybrid/*[1]", "si:real", "si:realListXMLList", "si:constant"):
        found = element.find(tag, NS)
        if found is not None:
            kind = etree.QName(found).localname
            if kind not in {"real", "realListXMLList", "constant"}:
                return None
            return _read(element, found, is_list=kind == "realListXMLList")
    return None


def _read(element: etree._Element, found: etree._Element, *, is_list: bool) -> Quantity:
    suffix = "XMLList" if is_list else ""
    values = numbers(text_of(found, f"si:value{suffix}"))
    units = text_of(found, f"si:unit{suffix}").split()
    if not values or not units or len(set(units)) != 1:
        name = name_of(element) or "/".join(ref_types(element)) or "dcc:quantity"
        raise CertificateRefusedError("'%(quantity)s' has no value, or not one unit", quantity=name)
    standard, expanded, k = _uncertainty(found, len(values), is_list=is_list)
    return Quantity(ref_types(element), name_of(element), units[0], values, standard, expanded, k)


def _uncertainty(
    found: etree._Element, count: int, *, is_list: bool
) -> tuple[tuple[Decimal, ...], tuple[Decimal, ...], tuple[Decimal, ...]]:
    for path, value, factor in _LIST_FORMS if is_list else _SCALAR_FORMS:
        stated = found.find(path, NS)
        if stated is None:
            continue
        u = spread(numbers(text_of(stated, value)), count)
        if any(each < 0 for each in u):
            raise CertificateRefusedError("an uncertainty is negative")
        if not factor:
            return u, (), ()
        k = spread(numbers(text_of(stated, factor)), count)
        if any(each <= 0 for each in k):
            raise CertificateRefusedError("a coverage factor is not positive")
        return tuple(each / by for each, by in zip(u, k, strict=True)), u, k
    for child in found.iterchildren("*"):
        if etree.QName(child).localname not in _PLAIN:
            name = etree.QName(child).localname
            raise CertificateRefusedError("the uncertainty is stated in a form not known here: %(form)s", form=name)
    return (), (), ()


def numbers(text: str) -> tuple[Decimal, ...]:
    """Blank-separated decimals. CertificateRefusedError for anything else."""
    words = text.split()
    if len(words) > MAX_POINTS:
        raise CertificateRefusedError("a list holds more than %(limit)s values", limit=str(MAX_POINTS))
    try:
        found = tuple(Decimal(word) for word in words if len(word) <= MAX_DIGITS)
    except InvalidOperation as error:
        raise CertificateRefusedError("'%(text)s' is not a number", text=text[:60]) from error
    # an exponent of a million would make a text of a million digits
    if len(found) != len(words) or any(not each.is_finite() or abs(each.adjusted()) > MAX_DIGITS for each in found):
        raise CertificateRefusedError("'%(text)s' is not a number", text=text[:60])
    return found


def spread(values: tuple[Decimal, ...], count: int) -> tuple[Decimal, ...]:
    """One value for all points, or one for each."""
    if len(values) == count:
        return values
    if len(values) == 1:
        return values * count
    facts = {"values": str(len(values)), "points": str(count)}
    raise CertificateRefusedError("a list holds %(values)s values for %(points)s points", **facts)
