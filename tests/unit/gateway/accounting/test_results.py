"""Results on record: versions, states, and what explains the difference of two."""

import copy
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.accounting.account import account
from gateway.accounting.channels import ChannelMean
from gateway.accounting.comparison import compare
from gateway.accounting.results import ResultStateError, result, result_draft, results, step_draft
from tests.unit.gateway.accounting.by_hand import (
    COAL_CO2,
    heat_plan,
    laboratory,
    stated,
)
from tests.unit.gateway.accounting.conftest import OWN, START, World


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_changed_factor_changes_exactly_the_results_that_name_it(world: World, data: st.DataObject) -> None:
    inputs = world.inputs()
    before = account(inputs)
    named = sorted(
        {each for line in before.lines.values() for each in line.figure.factors if "@" in each and "stated" not in each}
    )
    version = data.draw(st.sampled_from(named))
    changed = inputs.factors.get(version.split("@")[0])
    moved = type(changed)(
        **{**{name: getattr(changed, name) for name in changed.__slots__}, "value": changed.value * 2}
    )
    book = type(inputs.factors)(
        [moved if each.id == moved.id else each for each in inputs.factors],
        inputs.factors.packs,
        inputs.factors.energy_kinds,
    )
    fields = {name: getattr(inputs, name) for name in inputs.__slots__} | {"factors": book}
    after = account(type(inputs)(**fields))
    for name, line in before.lines.items():
        same = line.figure.value == after.lines[name].figure.value
        assert same == (version not in line.figure.factors), (name, version)


def test_versions_states_and_what_explains_a_change(world: World) -> None:
    first = world.inputs(known_seq=world.seq)
    world.write(result_draft(account(first), "2026", 1, known_seq=world.seq, at_us=START, actor="a", reason=""))
    body = result(world.registry, "o", "2026")
    assert (body.state, body.version, body.inputs) == ("draft", 1, first.digest())
    with pytest.raises(ResultStateError):
        step_draft(body, "o", "verified", at_us=START, actor="r", reason="")
    for action, actor in (("submitted", "b"), ("verified", "r"), ("frozen", "a")):
        found = result(world.registry, "o", "2026")
        if action == "verified":
            for own in ("a", "b"):
                with pytest.raises(ResultStateError, match="somebody else"):
                    step_draft(found, "o", action, at_us=START, actor=own, reason="")
        world.write(step_draft(found, "o", action, at_us=START, actor=actor, reason="why"))
        assert result(world.registry, "o", "2026").state == action
    acts = result(world.registry, "o", "2026").acts
    assert [(each.action, each.actor) for each in acts] == [
        ("computed", "a"),
        ("submitted", "b"),
        ("verified", "r"),
        ("frozen", "a"),
    ]
    assert result(world.registry, "o", "2026", known_seq=acts[1].seq).state == "submitted"
    with pytest.raises(ResultStateError):
        step_draft(result(world.registry, "o", "2026"), "o", "returned", at_us=START, actor="a", reason="")
    world.settle({"coal-kiln": 4_000}, START, 1, revision=1)
    world.write(laboratory("L1", "24"))
    changed = copy.deepcopy(OWN)
    changed["factors"][1][1] = "0.027"
    world.object("factor_set", "own", changed)
    second = world.inputs(known_seq=world.seq)
    world.write(result_draft(account(second), "2026", 2, known_seq=world.seq, at_us=START, actor="a", reason=""))
    assert [(each.version, each.state) for each in results(world.registry, "o")] == [(1, "frozen"), (2, "draft")]
    (found,) = compare(first, second, ("carbon/enterprise/total",))
    assert found.before is not None
    assert found.after is not None
    causes = {step.cause: step.change for step in found.steps}
    assert set(causes) == {"data", "laboratory", "factor:fuel/own/coal/carbon"}
    assert sum(causes.values()) == found.after - found.before
    assert causes["data"] == COAL_CO2 * 2 / 192
    assert causes["laboratory"] == -COAL_CO2 * 194 / 192 / 25


def test_the_inputs_name_the_weight_of_each_sample(world: World) -> None:
    world.write(laboratory("L1", "24"))
    plain = world.inputs().digest()
    heavy = laboratory("L1", "24")
    heavy.body["object"]["weight_t"] = "7"
    world.write(heavy)
    assert world.inputs().digest() != plain


def test_a_change_of_a_channel_is_explained_too(world: World) -> None:
    metered = {"metered": "kiln", "measurand": "temperature"}
    world.plan(heat_plan({"factor": stated("0.11", "tCO2/GJ"), "temperature": metered}))
    old, new = (
        replace(world.inputs(), channels={("kiln", "temperature"): ChannelMean(Fraction(mean), "degC", 5, 1)})
        for mean in (80, 90)
    )
    (found,) = compare(old, new, ("carbon/enterprise/total",))
    assert found.after == Fraction(192) * 70 * Fraction("4.1868") / 1000 * Fraction("0.11")
    assert [step.cause for step in found.steps] == ["data"]
