"""What is wrong in the demo works, and since when. Everything else there is in order."""

from dataclasses import dataclass

from simulators.plant.rate import DAY_US, local_day

HOUR_US = 3_600_000_000
CELL_US = 300_000_000

EXPIRED_DEVICE = "coal-mill"
WRONG_RATIO_DEVICE = "cement-mill-1"
SILENT_DEVICE = "compressor"
ROLLOVER_DEVICE = "roller-press"
EXCHANGED_DEVICE = "raw-mill-fan"
LOW_CLASS_DEVICE = "crusher"
UNVERIFIED_DEVICE = "weighbridge"
FOREIGN_SERIAL_DEVICE = "kiln-ht-fan"
UNEQUIPPED_POINT = "el-kiln-exhaust-fan"
ANALYSER_DEVICE = "stack"
ANALYSER_DRIFT = -0.07
ANALYSER_LEAST_DAYS = 14
"""In shorter histories the analyser is right: there would be no time to compare with."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The demo's dates, all from its birth: history runs from ``start_us`` to ``born_us``, live from there on."""

    born_us: int
    history_days: int

    @property
    def start_us(self) -> int:
        """The first slot of the history; a whole hour."""
        return self.born_us // HOUR_US * HOUR_US - self.history_days * DAY_US

    @property
    def first_day(self) -> int:
        """The plant's first local day: one before the history, so that every meter has an index at its start."""
        return local_day(self.start_us) - 1

    def _at(self, permille: int) -> int:
        """A five-minute mark some way into the history."""
        return self.start_us + (self.born_us - self.start_us) * permille // 1_000 // CELL_US * CELL_US

    @property
    def rollover_us(self) -> int:
        """When the roller press meter passes its last digit."""
        return self._at(420) + 130_000_000

    @property
    def certificate_end_day(self) -> int:
        """The last local day on which the coal mill meter's certificate holds."""
        return local_day(self._at(500))

    @property
    def exchange_us(self) -> int:
        """When the raw mill fan's meter is exchanged: at eight in the morning, when meters are asked who they are."""
        later = -(-self._at(620) // DAY_US) * DAY_US
        for morning_us in (later, later - DAY_US):
            if self.start_us < morning_us < self.born_us:
                return morning_us
        return self._at(620)

    @property
    def first_silence(self) -> tuple[int, int]:
        """Hours in the middle of the history in which the compressor meter did not answer."""
        start_us = self._at(300)
        return start_us, start_us + min(7 * HOUR_US, (self.born_us - start_us) // 4)

    @property
    def last_silence_us(self) -> int:
        """From here on, live too, the compressor meter is dead."""
        return max(self._at(900), self.born_us // CELL_US * CELL_US - 5 * HOUR_US)

    def compressor_silent(self, at_us: int) -> bool:
        """Whether the compressor meter is dead at an instant."""
        start_us, end_us = self.first_silence
        return start_us <= at_us < end_us or at_us >= self.last_silence_us

    def analyser_drift(self, at_us: int) -> float:
        """The stack analyser's error beyond its own: from two thirds of the history on it reads low."""
        return ANALYSER_DRIFT if self.history_days >= ANALYSER_LEAST_DAYS and at_us >= self._at(667) else 0.0
