"""Every shipped profile, polled over TCP from a libmodbus server whose registers an encoder of its own filled."""

from collections.abc import Iterator
from random import Random

import pytest

from config.profile import load_profile, shipped_profiles
from drivers.modbus.plugin import PLUGIN
from gateway.assembly.site_loading import _channel
from gateway.domain.device import RequestGroup
from tests.conformance.modbus.encoder import Shown, image, modbus_profiles, shown
from tests.conformance.modbus.rig import open_link, read
from tests.conformance.modbus.servers import compiled_server, libmodbus_tcp

PROFILES = modbus_profiles()


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, dict[str, dict[str, list[Shown]]]]]:
    """One server; the profile at position n answers as unit n + 1."""
    shows = {profile: shown(profile, Random(position)) for position, profile in enumerate(PROFILES)}
    lines = [line for position, profile in enumerate(PROFILES) for line in image(position + 1, shows[profile])]
    binary = compiled_server(tmp_path_factory.mktemp("server"))
    with libmodbus_tcp(binary, lines) as port:
        yield port, shows


@pytest.mark.parametrize("profile_id", PROFILES)
async def test_profile(profile_id: str, plant: tuple[int, dict[str, dict[str, list[Shown]]]]) -> None:
    port, shows = plant
    profile, _, problems = load_profile(profile_id, [shipped_profiles()])
    assert profile is not None
    assert problems == []
    document = profile.model_dump(mode="json", exclude_none=True)
    address = {"unit": PROFILES.index(profile_id) + 1}
    assert PLUGIN.check_device(address, document) == []
    connection = {"transport": "tcp", "host": "127.0.0.1", "port": port}
    link = open_link(**connection)
    for group in profile.groups:
        channels = tuple(_channel(each) for each in group.channels)
        plan = PLUGIN.plan(address, document, RequestGroup(id=group.id, channels=channels), connection)
        answers = await read(link, plan)
        assert [answer.outcome for answer in answers] == ["ok"] * len(answers)
        values, quality, findings = plan.decode([answer.data for answer in answers])
        expected = {each.channel: each.expected for each in shows[profile_id][group.id]}
        assert dict(zip((each.id for each in channels), values, strict=True)) == expected
        assert set(quality) == {0}
        assert findings == ()
    await link.close()


def test_there_are_twenty_real_meters_and_each_names_its_source() -> None:
    real = [each for each in PROFILES if not each.startswith("meterproof/")]
    assert len(real) >= 20
    for each in real:
        profile, _, _ = load_profile(each, [shipped_profiles()])
        assert profile is not None
        assert profile.document.title
        assert profile.document.note


@pytest.mark.parametrize("wrong", ["CDAB", "BADC", "DCBA"])
def test_the_encoder_would_show_a_wrong_word_order(wrong: str) -> None:
    profile, _, _ = load_profile("schneider/iem3155", [shipped_profiles()])
    assert profile is not None
    group = profile.groups[0]
    document = profile.model_dump(mode="json", exclude_none=True)
    document["options"] = {"order": wrong}
    channels = tuple(_channel(each) for each in group.channels)
    connection = {"transport": "tcp", "host": "127.0.0.1"}
    plan = PLUGIN.plan({"unit": 1}, document, RequestGroup(id=group.id, channels=channels), connection)
    shows = shown("schneider/iem3155", Random(5))["energy"]
    held = {address: value for each in shows for (_, address), value in each.registers.items()}
    raw = [
        b"".join(held.get(request.address + index, 0).to_bytes(2, "big") for index in range(request.count))
        for request in plan.requests
    ]
    values, _, _ = plan.decode(raw)
    assert sum(value != each.expected for value, each in zip(values, shows, strict=True)) > len(shows) / 2
