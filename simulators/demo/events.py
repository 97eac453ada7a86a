"""What happens at single moments: coal lorries over the weighbridge, laboratory results."""

from dataclasses import dataclass
from datetime import date, timedelta

from simulators.noise import stream
from simulators.plant.cement import COAL_PERMILLE_OF_CLINKER
from simulators.plant.rate import CELLS_A_DAY, Rate, day_start_us, local_day

_LORRY_KG = 33_000
_SECOND_US = 1_000_000
_HOUR_US = 3_600 * _SECOND_US


@dataclass(frozen=True, slots=True)
class Ticket:
    """One lorry's second weighing."""

    at_us: int
    number: str
    vehicle: str
    gross_kg: int
    tare_kg: int

    @property
    def net_kg(self) -> int:
        """Coal delivered."""
        return self.gross_kg - self.tare_kg


@dataclass(frozen=True, slots=True)
class Analysis:
    """One laboratory result: sampled at one time, reported later."""

    sampled_us: int
    reported_us: int
    cao_percent: float
    mgo_percent: float
    ncv_mj_per_kg: float


def tickets(seed: int, clinker: Rate, day: int) -> list[Ticket]:
    """The coal lorries of a local day, enough for what the kiln burns that day, sorted by time."""
    need_kg = sum(clinker.knots(day)) * (86_400 // CELLS_A_DAY) * COAL_PERMILLE_OF_CLINKER // 1_000_000
    generator = stream(seed, "lorries", day)
    count = max(2, round(need_kg / _LORRY_KG))
    moments = sorted(generator.randrange(6 * 3_600, 19 * 3_600) for _ in range(count))
    result = []
    for index, second in enumerate(moments):
        tare = 15_000 + 20 * generator.randrange(60)
        net = round(generator.gauss(_LORRY_KG, 1_200) / 20) * 20
        result.append(
            Ticket(
                at_us=day_start_us(day) + second * _SECOND_US,
                number=f"{date(1970, 1, 1) + timedelta(days=day):%Y%m%d}-{index + 1:04d}",
                vehicle=f"皖B{10_000 + generator.randrange(40) * 737 % 89_999:05d}",
                gross_kg=tare + net,
                tare_kg=tare,
            )
        )
    return result


def analyses(seed: int, day: int) -> list[Analysis]:
    """Three shift samples of a local day, at 00:30, 08:30 and 16:30, reported two hours later."""
    generator = stream(seed, "laboratory", day)
    result = []
    for hour in (0.5, 8.5, 16.5):
        sampled_us = day_start_us(day) + int(hour * _HOUR_US)
        result.append(
            Analysis(
                sampled_us=sampled_us,
                reported_us=sampled_us + 2 * _HOUR_US + generator.randrange(900) * _SECOND_US,
                cao_percent=round(generator.gauss(65.4, 0.35), 2),
                mgo_percent=round(generator.gauss(1.82, 0.12), 2),
                ncv_mj_per_kg=round(generator.gauss(24.1, 0.4), 3),
            )
        )
    return result


def between(seed: int, clinker: Rate, start_us: int, end_us: int) -> list[tuple[int, Ticket | Analysis]]:
    """Everything that is sent in ``[start_us, end_us)``, with the time it is sent, sorted."""
    sent: list[tuple[int, Ticket | Analysis]] = []
    for day in range(max(clinker.first_day, local_day(start_us) - 1), local_day(end_us) + 1):
        sent += [(ticket.at_us, ticket) for ticket in tickets(seed, clinker, day)]
        sent += [(analysis.reported_us, analysis) for analysis in analyses(seed, day)]
    return sorted(((at_us, each) for at_us, each in sent if start_us <= at_us < end_us), key=lambda pair: pair[0])
