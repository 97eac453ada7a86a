"""The figures of a package: energy per channel over its span, each with the entries it rests on."""

from typing import Any

from gateway.journal.journal import Journal
from gateway.sealing.selection import Selection, SettledWindow, Wish


def figures(journal: Journal, wish: Wish, selection: Selection) -> dict[str, Any]:
    """Energy of every settled channel: meter side in thousandths of its resolution, and at the point as a fraction.

    Only windows inside the span count; ``missing`` rows have no energy and are counted, never filled.
    """
    channels = _channels(journal, selection)
    grouped: dict[tuple[str, str], list[SettledWindow]] = {}
    for (device, channel, _), window in sorted(selection.settled.items()):
        grouped.setdefault((device, channel), []).append(window)
    found = []
    for (device, channel), windows in grouped.items():
        facts = channels.get((device, channel), {})
        by_ratio: dict[tuple[int, int], int] = {}
        missing = 0
        for row in (row for window in windows for row in window.rows):
            if row[5] is None:
                missing += 1
            else:
                ratio = (int(row[9]), int(row[10]))
                by_ratio[ratio] = by_ratio.get(ratio, 0) + int(row[5])
        found.append(
            {
                "device": device,
                "channel": channel,
                "unit": facts.get("unit", ""),
                "decimals": facts.get("decimals", 0),
                "energy": [[num, den, energy] for (num, den), energy in sorted(by_ratio.items())],
                "windows": len(windows),
                "missing": missing,
                "settlement": sorted({seq for window in windows for seq in window.seqs}),
            }
        )
    return {"v": 1, "from": wish.from_us, "to": wish.to_us, "figures": found}


def _channels(journal: Journal, selection: Selection) -> dict[tuple[str, str], dict[str, Any]]:
    """Unit and decimals of every channel, from the newest configuration."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    after = 0
    while page := journal.read(after, 1000, {"configuration"}):
        for entry in page:
            kind, _, device = entry.subject.partition("/")[2].partition("/")
            if kind != "device" or entry.seq > selection.last_seq:
                continue
            for group in entry.body["groups"].values():
                for channel in group["channels"]:
                    found[device, channel["id"]] = channel
        after = page[-1].seq
    return found
