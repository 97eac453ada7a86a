"""The installed instruments as the rules see them, against plain reasoning over the same stays."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.assembly.ledger_view import LedgerView
from gateway.journal.entry import Entry
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft, record_object
from gateway.registry.writing import RegistryProjection
from gateway.validation.identity import OPEN_END
from tests.scenarios.acquisition_world import START_US, WorldClock, run_virtual

spans = st.lists(
    st.tuples(st.integers(0, 40), st.one_of(st.none(), st.integers(1, 30))), max_size=6, unique_by=lambda span: span[0]
)


@given(spans=spans, at=st.integers(-5, 60))
def test_the_last_fitted_meter_answers_and_the_span_is_true(spans: list[tuple[int, int | None]], at: int) -> None:
    view = LedgerView(Path("absent.sqlite"), "o")
    stays = []
    for number, (begin, length) in enumerate(spans):
        end = None if length is None else begin + length
        view.learn("installation", f"x{number}", {"device": "m", "instrument": f"I{number}"}, (begin, end), number)
        stays.append((begin, OPEN_END if end is None else end, f"I{number}"))

    def who(instant: int) -> str | None:
        holding = [stay for stay in stays if stay[0] <= instant < stay[1]]
        return max(holding)[2] if holding else None

    found = view.installed("m", at)
    assert found.instrument == who(at)
    assert found.from_us <= at < found.until_us
    assert {who(instant) for instant in range(max(found.from_us, -6), min(found.until_us, 75))} == {who(at)}


def test_the_ledger_is_taken_from_the_journal_while_there_is_no_registry(tmp_path: Path) -> None:
    async def main() -> None:
        clock = WorldClock()
        folder = DataFolder.create(
            tmp_path / "data", organisation="o", site="s", time_zone="UTC", simulated=True, clock=clock
        )
        with Journal.open(folder) as journal:
            common = {"at_us": START_US, "actor": "a", "reason": "", "source": ""}
            record_object(journal, "instrument", "o", "I1", {"serial": "0815"}, **common)  # type: ignore[arg-type]
            fields = {"device": "m", "instrument": "I1"}
            seq = record_object(journal, "installation", "o", "x", fields, from_us=5, **common)  # type: ignore[arg-type]
            view = LedgerView(folder.registry, "o")
            view.refresh()
            view.learn_from(journal)
            assert (view.seq, view.installed("m", 7).serial, view.installed("m", 4).serial) == (seq, "0815", None)
            record_object(journal, "installation", "o", "x", fields, withdrawn=True, **common)  # type: ignore[arg-type]
            view.learn_from(journal)
            assert view.installed("m", 7).instrument is None

    run_virtual(main())


def test_transformers_are_not_the_meter() -> None:
    view = LedgerView(Path("absent.sqlite"), "o")
    view.learn("installation", "x", {"device": "m", "instrument": "CT", "role": "ct"}, (0, None), 1)
    assert view.installed("m", 5).instrument is None


def test_a_registry_that_was_built_anew_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    view = LedgerView(path, "o")
    view.refresh()
    assert view.generation == 0, "nothing is there yet"
    for number, instrument in enumerate(("I1", "I2"), 1):
        path.unlink(missing_ok=True)
        projection = RegistryProjection.open(path)
        projection.begin()
        for seq in range(1, number + 1):
            draft = object_draft(
                "installation",
                "o",
                f"x{seq}",
                {"device": "m", "instrument": instrument},
                at_us=START_US,
                from_us=seq,
                to_us=None,
                actor="a",
                reason="",
                source="",
            ).encode()
            projection.apply_fact(Entry(seq, draft.at_us, draft.kind, draft.subject, draft.body_bytes))
        projection.commit(number)
        projection.close()
        view.refresh()
        assert view.installed("m", 9).instrument == instrument
        assert (view.seq, view.generation) == (number, number)
    view.close()
