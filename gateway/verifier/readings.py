"""What the sealed entries say each channel read: polls decoded from raw bytes, messages as they were mapped."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from gateway.verifier.decode import PlanError, Value, decoder
from gateway.verifier.quality import words
from gateway.verifier.report import Report


class Row(NamedTuple):
    """One reading of one group: values in the order of its channels; texts are None, as no store keeps them."""

    seq: int
    device: str
    group: str
    key_us: int  # slot of a poll, instant of a sample
    observed_us: int
    cfg: int
    values: list[int | None]
    quality: list[int]  # a word each


class Readings:
    """Knows the configurations that passed, and decodes what comes after them."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.channels: dict[tuple[int, str], list[dict[str, Any]]] = {}
        self._plans: dict[tuple[int, str], dict[str, Any]] = {}
        self._subjects: dict[int, str] = {}
        self._decoders: dict[tuple[int, str], Callable[[Sequence[str | None]], list[Value]] | None] = {}

    def configuration(self, seq: int, entry: dict[str, Any]) -> None:
        """Remember the groups of a device's configuration."""
        self._subjects[seq] = str(entry["subject"])
        groups = entry.get("groups")
        for name, group in groups.items() if isinstance(groups, dict) else ():
            self.channels[seq, name] = group.get("channels") or []
            self._plans[seq, name] = group.get("plan") or {}

    def rows(self, seq: int, entry: dict[str, Any]) -> Iterator[Row]:
        """The rows of a poll or a message."""
        if entry["kind"] == "poll":
            cfg, group = int(entry["cfg"]), str(entry["group"])
            decode = self._decoder(seq, (cfg, group))
            if self._subjects.get(cfg) != entry["subject"]:
                # another device's plan would read other numbers out of the same bytes
                self._report.broken("value.undecodable", f"entry {seq}", seq=cfg, reason="another device's")
            elif decode is not None:
                values = decode(entry.get("raw") or [])
                device = entry["subject"].split("/", 2)[2]
                observed = entry.get("received") or entry["slot"]
                names = [str(channel.get("id")) for channel in self.channels[cfg, group]]
                quality = words(names, values, entry.get("findings") or [])
                yield _row(seq, device, group, entry["slot"], observed, cfg, _numbers(values), quality)
        elif entry["kind"] == "message":
            for sample in entry.get("samples") or []:
                at, cfg, group = sample["at"], sample["cfg"], sample["group"]
                quality = [int(each) for each in sample["quality"]]
                yield _row(seq, sample["device"], group, at, at, cfg, _numbers(sample["values"]), quality)

    def position(self, cfg: int, group: str, channel: str) -> int | None:
        """Where a channel stands in its group's values."""
        for at, each in enumerate(self.channels.get((cfg, group), [])):
            if each.get("id") == channel:
                return at
        return None

    def _decoder(self, seq: int, key: tuple[int, str]) -> Callable[[Sequence[str | None]], list[Value]] | None:
        if key not in self._decoders:
            try:
                self._decoders[key] = decoder(self._plans[key])
            except (PlanError, KeyError) as error:
                self._decoders[key] = None
                self._report.broken("value.undecodable", f"entry {seq}", seq=key[0], reason=error)
        return self._decoders[key]


def _row(seq: int, device: str, group: str, *rest: Any) -> Row:
    """A row of the types a store can hold; TypeError when the entry gives others."""
    row = Row(seq, device, group, *rest)
    if not (type(device) is str and type(group) is str and all(type(each) is int for each in row[3:6])):
        raise TypeError("a reading's device, group or instants")
    return row


def _numbers(values: Sequence[Any]) -> list[int | None]:
    return [value if type(value) is int else None for value in values]
