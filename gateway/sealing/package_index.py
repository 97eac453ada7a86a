"""The page that a person opens first: what is inside, what it shows, how to check it, what it cannot show."""

from decimal import Decimal
from fractions import Fraction
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.time import to_datetime
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.sealing.note import Checkpoint
from gateway.sealing.selection import Selection, Wish

STYLE = (
    "body{font:16px/1.6 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem;color:#1b1f24}table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #ccd3da;"
    "padding:.3rem .6rem;text-align:left}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "code{background:#f0f3f6;padding:.1rem .3rem;word-break:break-all}.warn{background:#fff3cd;padding:.6rem 1rem}"
)


def index_page(
    language: str,
    folder: DataFolder,
    wish: Wish,
    *,
    selection: Selection,
    figures: dict[str, Any],
    checkpoint: Checkpoint,
) -> str:
    """One self-contained HTML page in ``zh`` or ``en``."""
    zone = ZoneInfo(folder.time_zone)

    def say(message: str, **facts: object) -> str:
        return escape(text(language, message, **facts))

    def local(at_us: int) -> str:
        return to_datetime(at_us).astimezone(zone).strftime("%Y-%m-%d %H:%M")

    rows = [
        (say("Organisation and site"), escape(f"{folder.organisation} / {folder.site}")),
        (say("Period (%(zone)s)", zone=folder.time_zone), f"{local(wish.from_us)} – {local(wish.to_us)}"),
        (say("Devices"), escape(", ".join(sorted(selection.devices)) if selection.devices else text(language, "all"))),
        (say("Entries inside"), str(len(selection.numbers))),
        (say("Entries in the log at that time"), str(checkpoint.size)),
        (say("Log"), f"<code>{escape(folder.origin)}</code>"),
    ]
    facts = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    warning = f"<p class='warn'>{say('Simulated data: it proves nothing about a real plant.')}</p>"
    kinds = "".join(
        f"<tr><td>{escape(kind)}</td><td class='n'>{count}</td></tr>" for kind, count in sorted(selection.kinds.items())
    )
    return f"""<!doctype html>
<html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">
<title>{say("Evidence package")}</title><style>{STYLE}</style></head><body>
<h1>{say("Evidence package")}</h1>
{warning if folder.simulated else ""}
<table>{facts}</table>
<h2>{say("How to check it")}</h2>
<ol><li>{
        say("Without Python: open verify.html in a browser and choose this ZIP file; nothing leaves the computer.")
    }</li>
<li>{say("With Python 3.11 and the package cryptography: unpack, then run")} <code>python verify.py</code></li>
<li>{
        say("Compare the public key with one you received earlier from the plant; key.pub holds the one used here.")
    }</li></ol>
<p>{
        say(
            "What no check of this file alone can show: whether the key's holder rewrote the whole log before."
            " A checkpoint handed out earlier shows it."
        )
    }</p>
<h2>{say("Energy by channel")}</h2>
{_figures(language, figures)}
<h2>{say("Entries by kind")}</h2>
<table>{kinds}</table>
</body></html>
"""


def _figures(language: str, document: dict[str, Any]) -> str:
    def say(message: str) -> str:
        return escape(text(language, message))

    if not document["figures"]:
        return f"<p>{say('No settled energy in this period.')}</p>"
    head = "".join(
        f"<th>{say(name)}</th>"
        for name in ("Device", "Channel", "Energy, ratio applied", "Unit", "Windows", "of them without energy")
    )
    rows = "".join(
        f"<tr><td>{escape(each['device'])}</td><td>{escape(each['channel'])}</td>"
        f"<td class='n'>{shown_energy(each)}</td><td>{escape(each['unit'])}</td>"
        f"<td class='n'>{each['windows']}</td><td class='n'>{each['missing']}</td></tr>"
        for each in document["figures"]
    )
    return f"<table><tr>{head}</tr>{rows}</table>"


def shown_energy(figure: dict[str, Any]) -> str:
    """The energy with the CT·PT ratios applied, in the channel's unit, three decimals, rounded half to even."""
    total = sum((Fraction(energy) * num / den for num, den, energy in figure["energy"]), Fraction(0))
    total /= 1000 * 10 ** figure["decimals"]
    return str(Decimal(round(total * 1000)).scaleb(-3))
