"""What the judge asks of the projections: what was counted, at which load, how warm it was, which file is held."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from gateway.certificates.digests import digest_fits
from gateway.domain.time import US_PER_DAY, Period, local_date, local_midnight
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.metrology.judge import SETTLING_US
from gateway.metrology.loads import Register
from gateway.metrology.witness import Outside
from gateway.projection.channels import ChannelDirectory
from gateway.projection.projector import Projector
from gateway.settlement.load_shares import changed_windows, shares_outside

MAX_DAYS = 800
"""How far back loads and temperatures are held against anything."""
TOLERATED_PERMILLE = 10
"""A day counts as outside when more than one percent of its energy was (a rule of ours: 推断)."""
MAX_REMEMBERED_FILES = 10_000
MAX_FILE_BYTES = 16 * 1024 * 1024
"""As large as a certificate file may be when it is imported."""

_LoadKey = tuple[str, str, Fraction | None, Fraction | None]


class ProjectedWitness:
    """Over the stores a projector holds open."""

    def __init__(self, projector: Projector, folder: DataFolder, journal: Journal) -> None:
        self._projector = projector
        self._folder = folder
        self._zone = ZoneInfo(folder.time_zone)
        self._channels = ChannelDirectory(journal)
        self._shares: dict[_LoadKey, dict[int, tuple[int, int]]] = {}
        self._seen_seq = 0
        self._days: tuple[tuple[date, date], list[int]] | None = None
        self._answers: dict[tuple[str, ...] | _LoadKey, list[Outside]] = {}
        self._files: dict[tuple[str, str, str], bool | None] = {}

    def register(self, device: str, channel: str) -> Register | None:
        """What a device's channel counts."""
        found = self._projector.settlement.channel(self._folder.organisation, device, channel)
        return None if found is None else Register(found.measurand, found.unit)

    def load_outside(
        self, device: str, channel: str, lower: Fraction | None, upper: Fraction | None
    ) -> Sequence[Outside]:
        """Days of which more than the tolerated share of the energy passed below or above these amounts."""
        self._forget_changed()
        settlement, organisation = self._projector.settlement, self._folder.organisation
        counter = settlement.channel(organisation, device, channel)
        midnights = self._midnights()
        if counter is None or len(midnights) < 2:
            return ()
        key = (device, counter.id, lower, upper)
        if key not in self._answers:
            self._answers[key] = self._looked_at(key, midnights)
        return self._answers[key]

    def _looked_at(self, key: _LoadKey, midnights: Sequence[int]) -> list[Outside]:
        device, channel, lower, upper = key
        settlement, organisation = self._projector.settlement, self._folder.organisation
        known = self._shares.setdefault(key, {})
        # days without an answer yet, from the first to the last of them in one question
        missing = [place for place, midnight in enumerate(midnights[:-1]) if midnight not in known]
        if missing:
            span = midnights[missing[0] : missing[-1] + 2]
            found = shares_outside(settlement.db, (organisation, device, channel), span, (lower, upper))
            known.update((midnight, found.get(midnight, (0, 0))) for midnight in span[:-1])
        below = [known.get(midnight, (0, 0))[0] > TOLERATED_PERMILLE for midnight in midnights[:-1]]
        above = [known.get(midnight, (0, 0))[1] > TOLERATED_PERMILLE for midnight in midnights[:-1]]
        return [*_days(midnights, below, "below"), *_days(midnights, above, "above")]

    def ambient_outside(self, device: str, channel: str, lower: Fraction, upper: Fraction) -> Sequence[Outside]:
        """Days on which a temperature channel left its range."""
        midnights = self._midnights()
        described = self._instantaneous(device, channel)
        if described is None or len(midnights) < 2:
            return ()
        key = (device, channel, str(lower), str(upper))
        if key not in self._answers:
            self._answers[key] = self._warm(key, described, (lower, upper), midnights)
        return self._answers[key]

    def _warm(
        self,
        key: tuple[str, ...],
        described: tuple[str, int],
        limits: tuple[Fraction, Fraction],
        midnights: Sequence[int],
    ) -> list[Outside]:
        device, channel, *_ = key
        (group, decimals), (lower, upper) = described, limits
        column = self._projector.series.days(
            device,
            group,
            lambda cfg: self._channels.position(group, cfg, channel),
            Period(midnights[0], midnights[-1]),
            self._zone,
        )
        scale = 10**decimals
        least = dict(zip(column.starts, column.minima, strict=True))
        most = dict(zip(column.starts, column.maxima, strict=True))
        below = [midnight in least and least[midnight] < lower * scale for midnight in midnights[:-1]]
        above = [midnight in most and most[midnight] > upper * scale for midnight in midnights[:-1]]
        return [*_days(midnights, below, "below"), *_days(midnights, above, "above")]

    def file_fits(self, procedure: str, digest: str, document: str) -> bool | None:
        """Whether the stored file has a digest; None when it is not held or the procedure is not known."""
        key = (procedure, digest, document)
        if key not in self._files:
            if len(self._files) >= MAX_REMEMBERED_FILES:
                self._files.clear()
            path = self._folder.blobs / document
            held = len(document) == 64 and document.isalnum() and path.is_file()
            if not held or path.stat().st_size > MAX_FILE_BYTES:
                return None  # it may come later: not remembered
            self._files[key] = digest_fits(procedure, digest, path.read_bytes())
        return self._files[key]

    def _midnights(self) -> list[int]:
        """The beginnings of the civil days that are over and settled, and the end of the last of them."""
        last = local_date(self._projector.horizon_us - SETTLING_US, self._zone)
        first_us = max(self._projector.measured_since_us(), self._projector.horizon_us - MAX_DAYS * US_PER_DAY)
        first = local_date(first_us, self._zone)
        if self._days is None or self._days[0] != (first, last):
            count = (last - first).days + 1
            self._days = ((first, last), [local_midnight(first + timedelta(days=n), self._zone) for n in range(count)])
            self._answers.clear()
        return self._days[1]

    def _forget_changed(self) -> None:
        """Days that were settled again are asked for again."""
        newest, starts = changed_windows(self._projector.settlement.db, self._folder.organisation, self._seen_seq)
        if newest == self._seen_seq:
            return
        self._seen_seq = newest
        days = {local_midnight(local_date(each, self._zone), self._zone) for each in starts}
        if self._days is not None and any(day < self._days[1][-1] for day in days):
            self._answers.clear()
        for known in self._shares.values():
            for day in days:
                known.pop(day, None)

    def _instantaneous(self, device: str, channel: str) -> tuple[str, int] | None:
        """(group, decimals) of a channel as its device is configured now."""
        for configuration in self._projector.registry.configurations(self._folder.organisation):
            if configuration.id != device:
                continue
            for name, group in configuration.body["groups"].items():
                for each in group["channels"]:
                    if each["id"] == channel:
                        return str(name), int(each["decimals"])
        return None


def _days(midnights: Sequence[int], outside: Iterable[bool], side: str) -> list[Outside]:
    """Days in a row as one span."""
    found: list[Outside] = []
    for place, is_outside in enumerate(outside):
        if not is_outside:
            continue
        start, end = midnights[place], midnights[place + 1]
        if found and found[-1].to_us == start:
            found[-1] = Outside(found[-1].from_us, end, side)
        else:
            found.append(Outside(start, end, side))
    return found
