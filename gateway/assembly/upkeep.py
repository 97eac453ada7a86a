"""What the series store needs from time to time: hours rolled up, closed days packed."""

from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.projection.channels import ChannelDirectory
from gateway.projection.projector import Projector

HOUR_GRACE_US = 5 * US_PER_MINUTE
PACK_AFTER_US = 2 * US_PER_HOUR  # a day stays hot while late messages are likely; later ones are packed again at night
PACK_EVERY_US = US_PER_DAY
HOURS_A_STEP = 500
DAYS_A_STEP = 50


class SeriesUpkeep:
    """Small steps between batches of the projection, measured on the journal's own time."""

    def __init__(self, folder: DataFolder, projector: Projector) -> None:
        self._projector = projector
        self._journal = Journal.open(folder, read_only=True)
        self._channels = ChannelDirectory(self._journal)
        self._packed_until_us = 0

    def step(self) -> int:
        """Do a little of what is due; how many hours and days were done."""
        horizon_us = self._projector.horizon_us
        series = self._projector.series
        done = series.close_hours(horizon_us - HOUR_GRACE_US, self._channels.instantaneous, HOURS_A_STEP)
        if horizon_us >= self._packed_until_us + PACK_EVERY_US:
            packed = series.pack_days(horizon_us - PACK_AFTER_US, DAYS_A_STEP)
            done += packed
            if packed == 0:
                today_us = horizon_us - (horizon_us - PACK_AFTER_US) % US_PER_DAY
                self._packed_until_us = today_us
        return done

    def close(self) -> None:
        """Close the journal; idempotent."""
        self._journal.close()
