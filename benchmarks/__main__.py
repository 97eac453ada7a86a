"""``python -m benchmarks [MODULE …]``: run every module with a ``measure()``, print the table, write latest.json."""

import importlib
import json
import logging
import pkgutil
import platform
import sys
import traceback
from math import isnan
from pathlib import Path

from benchmarks.result import TARGETS, Result

LATEST = Path(__file__).with_name("latest.json")


def main(names: list[str]) -> int:
    for room in ("gateway", "drivers"):  # what broken plants make them complain of is no result
        logging.getLogger(room).setLevel(logging.CRITICAL)
    package = importlib.import_module("benchmarks")
    results: list[Result] = []
    failures: list[str] = []
    for module in sorted(item.name for item in pkgutil.iter_modules(package.__path__)):
        if module.startswith("_") or module == "result" or (names and module not in names):
            continue
        measure = getattr(importlib.import_module(f"benchmarks.{module}"), "measure", None)
        if measure is None:
            continue
        print(f"… {module}", flush=True)
        try:
            found = list(measure())
        except Exception:  # noqa: BLE001  # one broken benchmark must not hide the others; it is reported as failed
            traceback.print_exc()
            failures.append(module)
            continue
        results.extend(found)
        for each in found:
            print("  " + _line(each), flush=True)
    measured = {each.target_id for each in results}
    print("\nTargets")
    for target_id, text in TARGETS.items():
        rows = [each for each in results if each.target_id == target_id]
        state = "not measured" if not rows else _verdict(rows)
        print(f"  {target_id:4} {state:13} {text}")
        for each in rows:
            print("        " + _line(each))
    absent = [
        {"target_id": each, "name": TARGETS[each], "value": None, "unit": "", "baseline": None, "target": None,
         "meets_target": False, "note": "not measured in this run"}
        for each in TARGETS
        if each not in measured
    ]  # fmt: skip
    document = {
        "machine": platform.platform(),
        "python": platform.python_version(),
        "failed": failures,
        "results": [each.document() for each in results] + absent,
    }
    LATEST.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    return 1 if failures else 0


def _verdict(rows: list[Result]) -> str:
    """Rows without a target of their own (peers, context) neither meet nor miss one."""
    judged = [each.meets_target for each in rows if each.meets_target is not None]
    return "measured" if not judged else "met" if all(judged) else "NOT MET"


def _line(result: Result) -> str:
    baseline = "" if result.baseline is None else f" (beside {result.baseline:,.4g})"
    target = "" if result.target is None else f", target {result.target:,.4g}"
    note = f"; {result.note}" if result.note else ""
    value = "–" if isnan(result.value) else f"{result.value:,.4g} {result.unit}"
    return f"{result.name}: {value}{baseline}{target}{note}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
