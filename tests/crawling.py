"""Every figure on a page beside what the API says: for tests that crawl. The rounding here is the tests' own."""

import json
import re
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import cached_property

from fastapi.testclient import TestClient
from lxml import html

NUMBER = re.compile(r"[−+-]?\d[\d,]*(?:\.\d+)?%?")
NO_NUMBER = re.compile(
    r"\d+ kV\b|"  # part of a name
    r"\d{4}-\d\d(?:-\d\d)?|\d{1,2}:\d\d(?::\d\d)?|\d\d-\d\d\b|"
    r"[A-Za-z]+-[\w-]*\d[\w-]*|[0-9a-f]{12,}…?|[A-Za-z]\d+|\d+\.\d+\.\d+"
)
FIGURES = (
    "//main//td[contains(concat(' ', @class, ' '), ' num ')] | //main//*[contains(@class, 'value')]"
    " | //main//*[@id='waiting']//b"
)


def fraction_of(text: object) -> Fraction:
    numerator, _, denominator = str(text).partition("/")
    return Fraction(numerator) / Fraction(denominator or 1)


def by_its_u(value: Fraction, expanded: float) -> Fraction:
    """The value to the place where U keeps two digits, worked out from U's own scientific notation."""
    _, _, exponent = f"{expanded:.1e}".partition("e")
    step = Fraction(10) ** (int(exponent) - 1)
    return round(value / step) * step


def values_of(document: object) -> set[Fraction]:
    """Every number of a JSON document, also those written as text; and how many things its lists hold.

    Where a value stands beside its U, also the value as rounded by it, and its shares by method likewise.
    """
    found: set[Fraction] = set()
    if isinstance(document, dict):
        if document.get("expanded") and isinstance(document.get("by_method"), dict) and document["value"] is not None:
            u = float(document["expanded"])
            found |= {by_its_u(fraction_of(each), u) for each in [document["value"], *document["by_method"].values()]}
        if isinstance(document.get("value"), int) and isinstance(document.get("decimals"), int):
            found.add(Fraction(document["value"], 10 ** document["decimals"]))  # a scaled integer
        for each in document.values():
            found |= values_of(each)
    elif isinstance(document, list):
        found.add(Fraction(len(document)))
        for each in document:
            found |= values_of(each)
    elif isinstance(document, int | float) and not isinstance(document, bool):
        found.add(Fraction(str(document)))
    elif isinstance(document, str) and re.fullmatch(r"-?\d+(\.\d+)?(/\d+)?", document):
        found.add(fraction_of(document))
    elif isinstance(document, str) and (reason := re.fullmatch(r"[a-z_]+:.+:(\d+)", document)):
        found.add(Fraction(reason[1]))  # a reason with its count, such as missing_windows:el-intake:3
    return found


def shown_on(page: str) -> list[str]:
    """The numbers that a page shows as figures."""
    tree = html.fromstring(page)
    found = []
    for cell in tree.xpath(FIGURES):
        said = NO_NUMBER.sub(" ", " ".join(cell.itertext()))
        found += NUMBER.findall(said)
    return found


def rounded(value: Fraction, decimals: int) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)


class Known:
    """What the API says, in every rounding a page may show."""

    def __init__(self, values: set[Fraction]) -> None:
        self._values = values
        self._rounded: dict[int, set[Decimal]] = {}

    def has(self, token: str) -> bool:
        """Whether a figure of a page is one of them."""
        plain = token.replace(",", "").replace("−", "-").lstrip("+")
        if plain.endswith("%"):
            return self._has_percent(plain[:-1], signed=token[0] in "+−-")
        wanted = Decimal(plain)
        # a sign may stand in words, and permille of the API are percent on a page
        return bool({wanted, -wanted} & self._to(len(plain.partition(".")[2]))) or bool(
            {wanted * 10, wanted * 1000} & self._to(0)
        )

    def _to(self, decimals: int) -> set[Decimal]:
        if decimals not in self._rounded:
            self._rounded[decimals] = {rounded(each, decimals) for each in self._values}
        return self._rounded[decimals]

    def _has_percent(self, plain: str, *, signed: bool) -> bool:
        """Said in percent, as a fraction, in permille; else worked out on the page from two values."""
        wanted, decimals = Decimal(plain), len(plain.partition(".")[2])
        if wanted in {0, 100} or {wanted, -wanted} & self._to(decimals):
            return True
        if {wanted / 100, -wanted / 100} & self._to(decimals + 2) or {wanted * 10, -wanted * 10} & self._to(0):
            return True
        percent = float(wanted)
        return any(
            abs((share - 1) * 100 - percent) < 0.06 if signed else abs(share * 100 - percent) < 0.11
            for share in self._shares
        )

    @cached_property
    def _shares(self) -> set[float]:
        whole = [float(each) for each in self._values if each > 0]
        return {
            part / each for part in (float(value) for value in self._values) for each in whole if abs(part) <= 4 * each
        }


def strangers(client: TestClient, page: str, views: list[str]) -> tuple[list[str], int]:
    """Figures of a page that none of its views knows, and how many it shows."""
    values: set[Fraction] = set()
    for view in views:
        answer = client.get(view)
        assert answer.status_code == 200, f"{view}: {answer.text[:200]}"
        values |= values_of(json.loads(answer.text)["result"])
    known = Known(values)
    tokens = shown_on(page)
    return [each for each in tokens if not known.has(each)], len(tokens)
