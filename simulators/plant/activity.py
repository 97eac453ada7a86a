"""When machines of a cement works run: shares of full load for each five minutes of a local day."""

from collections.abc import Callable

from simulators.noise import slow_drift, stream
from simulators.plant.rate import CELLS_A_DAY

CELLS_AN_HOUR = 12

Activity = Callable[[int], list[float]]

_STOP_EVERY_DAYS = 33
_STOP_FROM_H = 6.0
_STOP_HOURS = 30.0
_HEAT_UP_HOURS = 8.0


def hours(*spans: tuple[float, float]) -> list[float]:
    """1 inside the local hours given, 0 outside."""
    shares = [0.0] * CELLS_A_DAY
    for start_h, end_h in spans:
        for k in range(int(start_h * CELLS_AN_HOUR), min(CELLS_A_DAY, int(end_h * CELLS_AN_HOUR))):
            shares[k] = 1.0
    return shares


class Kiln:
    """The kiln burns day and night; every 33 days it stops for 30 hours and takes 8 to come back."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._phase = stream(seed, "kiln-stop").randrange(_STOP_EVERY_DAYS)

    def share(self, day: int) -> list[float]:
        """Share of full output."""
        since_days = (day + self._phase) % _STOP_EVERY_DAYS
        generator = stream(self._seed, "kiln", day)
        wander = slow_drift(generator, CELLS_A_DAY, persistence=0.97)
        shares = []
        for k in range(CELLS_A_DAY):
            since_h = since_days * 24.0 + k / CELLS_AN_HOUR - _STOP_FROM_H
            if since_h < 0.0 or since_h >= _STOP_HOURS + _HEAT_UP_HOURS:
                shares.append(0.97 + 0.025 * wander[k])
            elif since_h < _STOP_HOURS:
                shares.append(0.0)
            else:
                shares.append(0.4 + 0.55 * (since_h - _STOP_HOURS) / _HEAT_UP_HOURS)
        return shares


def shifted(seed: int, name: str, spans: tuple[tuple[float, float], ...], *, rest: float = 0.0) -> Activity:
    """Runs in the given local hours with a slow wander, trips for 20 to 60 minutes on some days; ``rest`` when
    standing."""

    def share(day: int) -> list[float]:
        generator = stream(seed, name, day)
        wander = slow_drift(generator, CELLS_A_DAY)
        late = generator.randrange(3)
        trip_at, trip_cells = CELLS_A_DAY, 0
        if generator.random() < 0.25:
            trip_at, trip_cells = generator.randrange(CELLS_A_DAY), 4 + generator.randrange(9)
        runs = hours(*spans)
        runs = runs[-late:] + runs[:-late] if late else runs
        return [
            rest if not running or trip_at <= k < trip_at + trip_cells else 0.93 + 0.05 * wander[k]
            for k, running in enumerate(runs)
        ]

    return share


def following(kiln: Kiln, seed: int, name: str, *, power: float = 1.0, rest: float = 0.0) -> Activity:
    """Follows the kiln's output to a power (a fan's load falls faster than its flow), ``rest`` when it stands."""

    def share(day: int) -> list[float]:
        wander = slow_drift(stream(seed, name, day), CELLS_A_DAY)
        return [
            max(rest, each**power * (0.97 + 0.02 * wander[k])) if each else rest
            for k, each in enumerate(kiln.share(day))
        ]

    return share


def both(first: Activity, kiln: Kiln) -> Activity:
    """Runs as ``first`` says, but only while the kiln is past heating up (raw meal and coal have somewhere to go)."""

    def share(day: int) -> list[float]:
        return [own if burning > 0.6 else 0.02 for own, burning in zip(first(day), kiln.share(day), strict=True)]

    return share


def office(seed: int, name: str) -> Activity:
    """Lighting and offices: a base load, more by day and in the evening, less at weekends."""

    def share(day: int) -> list[float]:
        wander = slow_drift(stream(seed, name, day), CELLS_A_DAY)
        weekend = (day + 3) % 7 >= 5  # 1970-01-01 was a Thursday
        shares = []
        for k in range(CELLS_A_DAY):
            hour = k / CELLS_AN_HOUR
            level = 0.45 if hour < 6 else 0.6 if hour < 8 else 0.8 if hour < 18 else 0.9 if hour < 22 else 0.5
            shares.append(level * (0.8 if weekend else 1.0) * (1.0 + 0.05 * wander[k]))
        return shares

    return share
