"""Devices, decoders and messages for the tests of the MQTT driver, from shipped or written-out profiles."""

from typing import Any

import yaml

from config.catalogues import measurands
from config.profile import load_profile, shipped_profiles
from drivers.mqtt.plugin import PLUGIN
from gateway.domain.device import Channel, ChannelKind, Device, RequestGroup
from gateway.domain.reading import Message
from gateway.ports import PayloadDecoder

RECEIVED_US = 1_795_313_701_000_000  # 2026-11-22T02:15:01Z
PERIOD_US = 300_000_000


def shipped(profile_id: str) -> dict[str, Any]:
    """A shipped profile as the driver gets it."""
    profile, _loaded, problems = load_profile(profile_id, [shipped_profiles()])
    assert profile is not None, problems
    return profile.model_dump(mode="json", exclude_none=True)


def written(text: str) -> dict[str, Any]:
    """``options`` and ``groups`` of a profile written out in a test."""
    value: dict[str, Any] = yaml.safe_load(text)
    return value


def device(device_id: str, profile: dict[str, Any], **address: Any) -> Device:
    """A device of that profile."""
    groups = []
    for group in profile["groups"]:
        channels = []
        for channel in group["channels"]:
            measurand = measurands()[channel["measurand"]]
            channels.append(
                Channel(
                    id=channel["id"],
                    measurand=measurand.id,
                    unit=measurand.unit,
                    kind=ChannelKind(measurand.kind),
                    decimals=channel.get("decimals", 0),
                )
            )
        groups.append(RequestGroup(id=group["id"], channels=tuple(channels), period_us=PERIOD_US))
    return Device(
        id=device_id,
        organisation="o",
        endpoint="broker",
        protocol="mqtt",
        profile="test/test",
        address=address,
        groups=tuple(groups),
        pushed=True,
    )


def decoder(*devices: tuple[Device, dict[str, Any]]) -> PayloadDecoder:
    """The decoder of an endpoint with these devices; their blocks are checked first."""
    for each, profile in devices:
        assert PLUGIN.check_device(each.address, profile) == []
    return PLUGIN.decoder({"host": "localhost"}, list(devices))


def message(topic: str, payload: bytes | str, **more: Any) -> Message:
    """A message as it came."""
    body = payload.encode() if isinstance(payload, str) else payload
    return Message(endpoint="broker", topic=topic, payload=body, **({"received_us": RECEIVED_US} | more))
