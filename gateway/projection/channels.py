"""What a configuration entry says of a group's channels, for those who read the series: sinks and roll-ups."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.delivery.port import Layout
from gateway.domain.device import ChannelKind
from gateway.journal.journal import Journal

MAX_CACHED = 20_000


@dataclass(frozen=True, slots=True)
class _Group:
    layout: Layout
    instantaneous: tuple[int, ...]
    index: Mapping[str, int]


class ChannelDirectory:
    """Channels by configuration entry, read from the journal once and kept."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._groups: dict[tuple[int, str], _Group] = {}

    def layout(self, device: str, group: str, cfg_seq: int) -> Layout:
        """Ids and decimals by position; a text channel has no name. The same object each time."""
        del device  # the entry is of one device
        return self._group(cfg_seq, group).layout

    def instantaneous(self, device: str, group: str, cfg_seq: int) -> tuple[int, ...]:
        """Positions of the instantaneous channels."""
        del device
        return self._group(cfg_seq, group).instantaneous

    def position(self, group: str, cfg_seq: int, channel: str) -> int | None:
        """Where a channel stands in the group; None when the group did not have it under that entry."""
        return self._group(cfg_seq, group).index.get(channel)

    def _group(self, cfg_seq: int, group: str) -> _Group:
        known = self._groups.get((cfg_seq, group))
        if known is None:
            if len(self._groups) >= MAX_CACHED:
                self._groups.clear()
            channels = self._journal.entry(cfg_seq).body["groups"][group]["channels"]
            kinds = [channel["kind"] for channel in channels]
            known = self._groups[cfg_seq, group] = _Group(
                Layout(
                    tuple(
                        None if kind == ChannelKind.TEXT else channel["id"]
                        for channel, kind in zip(channels, kinds, strict=True)
                    ),
                    tuple(int(channel["decimals"]) for channel in channels),
                ),
                tuple(position for position, kind in enumerate(kinds) if kind == ChannelKind.INSTANTANEOUS),
                {channel["id"]: position for position, channel in enumerate(channels)},
            )
        return known
