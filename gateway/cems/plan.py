"""The plan of a plant's stacks as it stands on record, and the tests of its monitors.

Both are ``document`` objects of the ledger: the plan ``stack-plan`` with the field ``stack_plan``, a test with the
field ``stack_test``. The plan carries the packs it names in full, so that a later edition of one changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from gateway.cems.comparison import StackUncertainties
from gateway.cems.control import MAX_TESTS, TYPES, QualityTest
from gateway.cems.gas import IDEAL_CO2_KG_M3, StackGeometry
from gateway.cems.pack import CemsPack
from gateway.cems.relations import Wander
from gateway.domain.errors import UnknownObjectError
from gateway.domain.figure import decimal_fraction, decimal_text
from gateway.domain.time import recordable
from gateway.registry.registry import Registry

PLAN_ID = "stack-plan"
FIELD = "stack_plan"
TEST_FIELD = "stack_test"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStack:
    """One stack. ``channels`` by parameter (``co2`` …), ``sources`` of the accounting plan that leave through it;
    ``reference`` the civil days, both inside, whose ratios are taken as right.
    """

    id: str
    name: Mapping[str, str]
    pack: CemsPack
    point: str
    device: str
    channels: Mapping[str, str]
    geometry: StackGeometry
    highest_co2: float | None
    sources: tuple[str, ...]
    u: StackUncertainties
    reference: tuple[date, date, str] | None
    wander: Wander
    seq: int


def planned_stacks(
    registry: Registry, organisation: str, as_of_us: int, known_seq: int | None = None
) -> list[PlannedStack]:
    """The stacks of the plan that held; UnknownObjectError when there is none."""
    record = registry.object(organisation, "document", PLAN_ID, as_of_us, known_seq)
    document = None if record is None else record.object.get(FIELD)
    if record is None or not isinstance(document, Mapping):
        raise UnknownObjectError("no stack plan is on record for this time")
    try:
        packs = {str(each["id"]): CemsPack.of(each) for each in document["packs"]}
        return [_stack(each, packs, record.seq) for each in document["stacks"]]
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        sentence = "the stack plan of entry %(entry)s cannot be read: %(reason)s"
        raise UnknownObjectError(sentence, entry=str(record.seq), reason=str(error)) from error


def planned_stack(stacks: list[PlannedStack], id_: str = "") -> PlannedStack:
    """One stack by its id, the first without one; UnknownObjectError when there is none of that id."""
    for each in stacks:
        if not id_ or each.id == id_:
            return each
    raise UnknownObjectError("the stack plan has no stack '%(id)s'", id=id_)


def _stack(document: Mapping[str, Any], packs: Mapping[str, CemsPack], seq: int) -> PlannedStack:
    density = document.get("co2_density_kg_m3")
    highest = document.get("highest_co2_percent")
    reference = document.get("reference")
    return PlannedStack(
        id=str(document["id"]),
        name={str(key): str(value) for key, value in document["name"].items()},
        pack=packs[str(document["pack"])],
        point=str(document["point"]),
        device=str(document["device"]),
        channels={str(key): str(value) for key, value in document["channels"].items() if value},
        geometry=StackGeometry(
            area=_float(document["area_m2"]),
            atmospheric=_float(document["atmospheric_kpa"]),
            dry=document["basis"] == "dry",
            density=IDEAL_CO2_KG_M3 if density is None else _float(density),
        ),
        highest_co2=None if highest is None else _float(highest),
        sources=tuple(str(each) for each in document["sources"]),
        u=_uncertainties(document),
        reference=None
        if reference is None
        else (_day(reference["from"]), _day(reference["to"]), str(reference["reason"])),
        wander=_wander(document.get("relations") or {}),
        seq=seq,
    )


def _uncertainties(document: Mapping[str, Any]) -> StackUncertainties:
    stated, substituted = document["uncertainty"], document.get("substitution_u_percent")
    return StackUncertainties(
        co2=_float(stated["co2_percent"]) / 100,
        velocity=_float(stated["velocity_percent"]) / 100,
        area=_float(stated["area_percent"]) / 100,
        moisture=_float(stated["moisture_points"]),
        temperature=_float(stated["temperature_k"]),
        pressure=_float(stated["pressure_kpa"]),
        scatter=_float(stated.get("scatter_percent") or "0") / 100,
        substitution=None if substituted is None else _float(substituted) / 100,
    )


def _wander(document: Mapping[str, Any]) -> Wander:
    default = Wander()
    sizes = {
        "undiluted_gas": default.undiluted_gas,
        "gas_per_emission": default.gas_per_emission,
        "specific_fuel": default.specific_fuel,
        "stock": default.stock,
        "checks": default.checks,
    }
    return Wander(**{name: _float(document[name]) / 100 if name in document else own for name, own in sizes.items()})


def _day(text: object) -> date:
    day = date.fromisoformat(str(text))
    if not recordable(day):
        raise ValueError(f"no day to be on record: {day}")
    return day


def _float(text: object) -> float:
    return float(decimal_fraction(str(text)))


def document_of_test(test: QualityTest) -> dict[str, Any]:
    """The ledger object of a test: numbers as decimal text."""
    return {
        "title": f"{test.stack} {test.parameter} {test.type}",
        "kind": "other",
        TEST_FIELD: {
            "stack": test.stack,
            "parameter": test.parameter,
            "type": test.type,
            "at_us": test.at_us,
            "pairs": [[decimal_text(reference), decimal_text(reading)] for reference, reading in test.pairs],
            "span": None if test.span is None else decimal_text(test.span),
            "by": test.by,
        },
    }


def id_of_test(test: QualityTest) -> str:
    """The id of a test's document: entered again, it replaces itself."""
    return f"stack-test-{test.stack}-{test.parameter}-{test.type}-{test.at_us}"


def quality_tests(
    registry: Registry, organisation: str, stack: str, known_seq: int | None = None
) -> Iterator[QualityTest]:
    """The tests of a stack's monitors on record, by their ids; at most ``MAX_TESTS``."""
    for count, record in enumerate(registry.objects(organisation, "document", None, known_seq)):
        if count >= MAX_TESTS:
            return
        said = record.object.get(TEST_FIELD)
        if record.withdrawn or not isinstance(said, Mapping) or said.get("stack") != stack or said["type"] not in TYPES:
            continue
        yield QualityTest(
            seq=record.seq,
            stack=stack,
            parameter=str(said["parameter"]),
            type=str(said["type"]),
            at_us=int(said["at_us"]),
            pairs=tuple((decimal_fraction(str(a)), decimal_fraction(str(b))) for a, b in said["pairs"]),
            span=None if said.get("span") is None else decimal_fraction(str(said["span"])),
            by=str(said.get("by") or ""),
        )
