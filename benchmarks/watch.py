"""W1: the drift campaign: planted errors found, and no meter named where something else is wrong with the node."""

from math import sqrt

from benchmarks._drift import Row, lines
from benchmarks.result import Result

RUNS = 24
UNMETERED_RUNS = 27
"""Of each of three courses and sizes of node: 81 runs with 1 % and 81 with 3 % unmetered load."""


def measure() -> list[Result]:
    """Print the table as it stands in docs/watch.md and give a result a line."""
    found = list(lines(RUNS, UNMETERED_RUNS))
    print("\n".join(table(found)), flush=True)
    results = [_result(name, row, study) for name, row, study in found]
    false = sum(row.false for _, row, _ in found)
    healthy = sum(row.healthy for _, row, _ in found)
    whole = Result("W1", "false alarms, all rows", false, "meters", None, 0.0, false == 0, f"of {healthy} meter-runs")
    return [*results, whole]


def table(found: list[tuple[str, Row, float | None]]) -> list[str]:
    """The campaign as a table."""
    heading = "| node (60 days, fault 4 %, step 0.01 kWh unless said) | recall | earlier study | false alarms | clear "
    heading += "| refused by the gate | median u | false alarms without the gate |"
    made = [heading, "|---|---|---|---|---|---|---|---|"]
    for name, row, study in found:
        recall = "—" if row.recall is None else f"{row.recall:.2f}"
        earlier = "—" if study is None else f"{study:.2f}"
        spread = "—" if row.median_u is None else f"{100 * row.median_u:.2f} %"
        cells = f"{recall} | {earlier} | {row.false} of {row.healthy} | {row.clear:.2f} | {row.refused} of {row.runs}"
        made.append(f"| {name} | {cells} | {spread} | {row.ungated_false} |")
    return made


def _result(name: str, row: Row, study: float | None) -> Result:
    note = f"{row.runs} runs, {row.refused} refused, {row.false} false alarms of {row.healthy}"
    if row.recall is None:
        whole = row.refused == row.runs and row.false == 0
        return Result("W1", f"refused: {name}", row.refused / row.runs, "of the runs", None, 1.0, whole, note)
    if study is None:
        return Result("W1", f"recall: {name}", row.recall, "of the faults", None, None, None, note)
    # the study's own figure may come out this much lower by the chance of so many runs
    chance = sqrt(study * (1 - study) / row.runs)
    return Result(
        "W1", f"recall: {name}", row.recall, "of the faults", study, study, row.recall >= study - chance, note
    )
