"""Recompute a package's figures: sums from the settlement rows, and those rows' edge registers from raw registers."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from gateway.verifier.body import BodyError
from gateway.verifier.readings import Readings
from gateway.verifier.report import Report

THOUSANDTHS = 1000
QUARTER_US = 900_000_000
WITHOUT_REGISTERS = frozenset({"substituted", "manual"})


class Evidence:
    """The entries that figures rest on, collected while they pass."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.readings = Readings(report)
        self.entries: dict[int, dict[str, Any]] = {}

    def take(self, seq: int, entry: dict[str, Any]) -> None:
        """Keep what may be evidence."""
        if entry["kind"] == "configuration":
            self.readings.configuration(seq, entry)
        if entry["kind"] in {"poll", "message", "settlement", "installation"}:
            self.entries[seq] = entry

    def check(self, document: Any) -> None:
        """Compare every figure with what the entries give."""
        try:
            begin, end = document["from"], document["to"]
            for figure in document["figures"]:
                self._figure(figure, self._rows(figure, begin, end))
                self.report.count("figures")
        except (KeyError, TypeError, ValueError, IndexError, BodyError) as error:
            self.report.broken("package.malformed", "figures.json", reason=f"{type(error).__name__} {error}")

    def _rows(self, figure: dict[str, Any], begin: int, end: int) -> dict[int, list[list[Any]]]:
        """Of every window in the span the rows of this channel at their newest revision."""
        newest: dict[int, tuple[int, list[list[Any]]]] = {}
        for entry in self.entries.values():
            if entry["kind"] != "settlement" or entry["from"] < begin or entry["to"] > end:
                continue
            rows = [row for row in entry["rows"] if row[:2] == [figure["device"], figure["channel"]]]
            revision, known = newest.get(entry["from"], (-1, []))
            if rows and entry["revision"] == revision:
                known.extend(rows)
            elif rows and entry["revision"] > revision:
                newest[entry["from"]] = (entry["revision"], rows)
        return {window: rows for window, (_, rows) in newest.items()}

    def _figure(self, figure: dict[str, Any], windows: dict[int, list[list[Any]]]) -> None:
        where = f"figures.json {figure['device']} {figure['channel']}"
        sums: dict[tuple[int, int], int] = {}
        missing = 0
        for window, rows in windows.items():
            for row in rows:
                if row[5] is None:
                    missing += 1
                else:
                    ratio = (int(row[9]), int(row[10]))
                    sums[ratio] = sums.get(ratio, 0) + int(row[5])
            for row in rows:
                self._between(where, window, row)
            if len(rows) == 1:  # a window cut by an exchange has edges inside, at instants the row does not name
                self._edges(where, window, rows[0])
        stated = {(num, den): energy for num, den, energy in figure["energy"]}
        if stated != sums:
            self.report.broken("figure.differs", where, stated=_shown(stated), computed=_shown(sums))
        counts = (figure["windows"], figure["missing"])
        if counts != (len(windows), missing):
            self.report.broken("figure.differs", where, stated=counts, computed=(len(windows), missing))

    def _edges(self, where: str, window: int, row: list[Any]) -> None:
        """The register at both edges out of the two readings around each, and the energy between them."""
        for at, stated, pair in ((window, row[3], row[11:13]), (window + QUARTER_US, row[4], row[13:15])):
            if stated is None:
                continue
            for seq in pair:
                if seq not in self.entries:
                    self.report.broken("figure.evidence", where, seq=seq)
                    return
            if any(self.entries[seq]["kind"] == "installation" for seq in pair):
                continue  # a register that was read by a person
            found = set(self._registers(row, at, pair))
            if int(stated) not in found:
                computed = ", ".join(str(each) for each in sorted(found))
                self.report.broken("figure.differs", f"{where} {at}", stated=stated, computed=computed)
                return

    def _between(self, where: str, window: int, row: list[Any]) -> None:
        """Energy is the difference of two registers; without them only a substitution or a person gives one."""
        if row[5] is None:
            return
        if row[3] is None or row[4] is None:
            if row[7] not in WITHOUT_REGISTERS:
                self.report.broken("figure.differs", f"{where} {window}", stated=row[5], computed=None)
        else:
            modulus = self._modulus(row)
            between = int(row[4]) - int(row[3]) - int(row[5])
            if between % (modulus * THOUSANDTHS) if modulus else between:
                self.report.broken("figure.differs", f"{where} {window}", stated=row[5], computed=row[4] - row[3])

    def _registers(self, row: list[Any], at: int, pair: list[int]) -> Iterator[int]:
        """The interpolated register for each way to read the two entries (a message may hold several samples)."""
        modulus = self._modulus(row)
        for before, low in self._observations(pair[0], row):
            for after, high in self._observations(pair[1], row):
                if not before <= at <= after:
                    continue
                if before == after:
                    yield low * THOUSANDTHS
                    continue
                for end in (high, high + modulus) if modulus and high < low else (high,):
                    step = Fraction((end - low) * THOUSANDTHS * (at - before), after - before)
                    register = low * THOUSANDTHS + round(step)
                    yield register % (modulus * THOUSANDTHS) if modulus else register

    def _observations(self, seq: int, row: list[Any]) -> Iterator[tuple[int, int]]:
        for each in self.readings.rows(seq, self.entries[seq]):
            position = self.readings.position(each.cfg, each.group, row[1])
            if each.device == row[0] and position is not None and each.values[position] is not None:
                yield each.observed_us, int(each.values[position] or 0)

    def _modulus(self, row: list[Any]) -> int | None:
        """The register's width, from the configuration of a reading the row rests on."""
        for seq in row[11:15]:
            for each in self.readings.rows(seq, self.entries[seq]) if seq in self.entries else ():
                position = self.readings.position(each.cfg, each.group, row[1])
                if each.device == row[0] and position is not None:
                    modulus = self.readings.channels[each.cfg, each.group][position].get("modulus")
                    return None if modulus is None else int(modulus)
        return None


def _shown(sums: dict[tuple[int, int], int]) -> str:
    return ", ".join(f"{energy}·{num}/{den}" for (num, den), energy in sorted(sums.items())) or "0"
