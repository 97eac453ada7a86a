"""Line protocol against a parser written from its description, not from our builder."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.influx.lines import LineBuilder
from gateway.delivery.port import Layout, VerdictRow
from gateway.series.row import SeriesRow

NAME = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda t: "\\" not in t
)
INTEGER = st.integers(-(2**53) + 1, 2**53 - 1)


def split(text: str, at: str) -> list[str]:
    """Split where the character is not escaped."""
    parts, part, escaped = [], "", False
    for character in text:
        if not escaped and character == at:
            parts.append(part)
            part = ""
        else:
            part += character
        escaped = character == "\\" and not escaped
    return [*parts, part]


def plain(text: str) -> str:
    result, escaped = "", False
    for character in text:
        if character == "\\" and not escaped:
            escaped = True
            continue
        result += character
        escaped = False
    return result


def parsed(line: bytes) -> tuple[str, dict[str, str], dict[str, str], int]:
    key, fields, at = split(line.decode(), " ")
    measurement, *tags = split(key, ",")
    pairs = [split(each, "=") for each in split(fields, ",")]
    return (
        measurement,
        {plain(name): plain(value) for name, value in (split(tag, "=") for tag in tags)},
        {plain(name): value for name, value in pairs},
        int(at),
    )


@given(
    site=NAME,
    device=NAME,
    channels=st.lists(st.tuples(NAME, st.one_of(st.none(), INTEGER), st.integers(0, 9)), min_size=1, max_size=8,
                      unique_by=lambda each: each[0]),
    at_ms=st.integers(-(10**13), 10**13),
    words=st.integers(0, 2**20),
)  # fmt: skip
def test_a_line_says_what_the_row_says(
    site: str, device: str, channels: list[tuple[str, int | None, int]], at_ms: int, words: int
) -> None:
    layout = Layout(tuple(name for name, _, _ in channels), tuple(decimals for _, _, decimals in channels))
    values = tuple(value for _, value, _ in channels)
    row = SeriesRow(device, "main", at_ms * 1000 + 999, 0, 77, 1, values, (words,) * len(values))
    line = LineBuilder(site).reading(row, layout)
    if all(value is None for value in values):
        assert line is None
        return
    assert line is not None
    measurement, tags, fields, at = parsed(line)
    assert (measurement, at) == ("reading", at_ms)
    assert tags == {"device": device, "group": "main", "site": site}
    assert (fields.pop("seq"), fields.pop("q")) == ("77i", f"{words}i")
    wanted = {
        f"{name}_" if name in {"seq", "q", "time"} else name: (value, decimals) for name, value, decimals in channels
    }
    assert fields.keys() == {name for name, (value, _) in wanted.items() if value is not None}
    for name, text in fields.items():
        value, decimals = wanted[name]
        assert value is not None
        assert not text.endswith("i")
        assert float(text) == float(Fraction(value, 10**decimals))


def test_a_change_of_layout_is_followed() -> None:
    builder = LineBuilder("s")
    row = SeriesRow("d", "g", 0, 0, 1, 1, (15,), (0,))
    assert builder.reading(row, Layout(("a",), (1,))) == b"reading,device=d,group=g,site=s a=1.5,q=0i,seq=1i 0"
    assert builder.reading(row, Layout(("b",), (0,))) == b"reading,device=d,group=g,site=s b=15.0,q=0i,seq=1i 0"


def test_a_verdict_leaves_empty_tags_out() -> None:
    line = LineBuilder("s").verdict(VerdictRow("", "mp 1", "point.unequipped", 1, 2, 5_000, 9))
    assert line == rb"verdict,point=mp\ 1,rule=point.unequipped,site=s open=1i,seq=9i,severity=2i 5"
