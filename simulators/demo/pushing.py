"""What the demo's pushing meters send, and on which topics."""

from collections.abc import Callable
from dataclasses import dataclass

from config.profile import Profile
from simulators.demo.events import Analysis, Ticket, between
from simulators.demo.places import FITTED, Place
from simulators.demo.plant import DemoPlant
from simulators.instruments.fitted import Quantity
from simulators.mqtt.payload import PayloadWriter, Shown

ENDPOINT = "broker"
TOPIC = "demo-cement"
CONCENTRATOR_TOPIC = f"{TOPIC}/concentrator"
CONCENTRATOR_PROFILE = "meterproof-mqtt/concentrator-json"


@dataclass(frozen=True, slots=True)
class Sent:
    """One message."""

    at_us: int
    topic: str
    payload: bytes


def address(place: Place) -> dict[str, str]:
    """The device's address in the site file."""
    if place.profile == CONCENTRATOR_PROFILE:
        return {"topic": CONCENTRATOR_TOPIC, "meter": place.device}
    return {"topic": f"{TOPIC}/{place.device}"}


class Pushers:
    """Everything in the works that sends by itself."""

    def __init__(self, plant: DemoPlant, profile_of: Callable[[str], Profile]) -> None:
        self._plant = plant
        pushing = [place for place in FITTED if place.endpoint == ENDPOINT]
        writers = {place.profile: PayloadWriter(profile_of(place.profile)) for place in pushing}
        by_topic: dict[str, list[Place]] = {}
        for place in pushing:
            by_topic.setdefault(address(place)["topic"], []).append(place)
        self._regular = [
            (topic, writers[places[0].profile], places)
            for topic, places in by_topic.items()
            if places[0].device in plant.instruments
        ]
        self._single = {
            place.device: (address(place)["topic"], writers[place.profile])
            for place in pushing
            if place.device not in plant.instruments
        }

    def regular(self, at_us: int) -> list[Sent]:
        """The periodic messages of one moment."""
        sent = []
        for topic, writer, places in self._regular:
            entries = [(place.device, at_us, self._plant.instruments[place.device]) for place in places]
            sent += [Sent(at_us, _below(topic, suffix), payload) for suffix, payload in writer.messages(entries)]
        return sent

    def events(self, start_us: int, end_us: int) -> list[Sent]:
        """Tickets and laboratory results sent in ``[start_us, end_us)``."""
        sent: list[Sent] = []
        for at_us, event in between(self._plant.seed, self._plant.works.rates["clinker"], start_us, end_us):
            if isinstance(event, Ticket):
                sent += self._event("weighbridge", at_us, event.at_us, _ticket(event))
            else:
                sent += self._event("clinker-lab", at_us, event.sampled_us, _clinker(event))
                if (event.sampled_us // 3_600_000_000 + 8) % 24 == 8:
                    sent += self._event("coal-lab", at_us, event.sampled_us, _coal(event))
        return sent

    def _event(self, device: str, at_us: int, stamp_us: int, values: dict[str, Quantity]) -> list[Sent]:
        topic, writer = self._single[device]
        messages = writer.messages([(device, stamp_us, Shown(values))])
        return [Sent(at_us, _below(topic, suffix), payload) for suffix, payload in messages]


def _below(topic: str, suffix: str) -> str:
    return f"{topic}/{suffix}" if suffix else topic


def _ticket(ticket: Ticket) -> dict[str, Quantity]:
    return {
        "ticket_number": ticket.number,
        "vehicle_number": ticket.vehicle,
        "ticket_gross_mass": ticket.gross_kg / 1_000.0,
        "ticket_tare_mass": ticket.tare_kg / 1_000.0,
        "ticket_net_mass": ticket.net_kg / 1_000.0,
    }


def _clinker(analysis: Analysis) -> dict[str, Quantity]:
    return {"cao_content": analysis.cao_percent, "mgo_content": analysis.mgo_percent}


def _coal(analysis: Analysis) -> dict[str, Quantity]:
    return {"net_calorific_value": analysis.ncv_mj_per_kg}
