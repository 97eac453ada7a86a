"""Whatever a checkpoint covers, changed at random: the verifier sees every one, and the untouched always passes."""

import random
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.verifier import notes
from gateway.verifier.checkpoints import Options, Signed
from gateway.verifier.folder import FolderCheck
from gateway.verifier.report import Report
from tests.campaign import share
from tests.evidence.mutations import UnchangedError, copy_of, damaged_file, damaged_journal
from tests.evidence.plant import Plant, build

FULL, CI = 8_000, 800
CHUNKS = 4


@pytest.fixture(scope="module")
def plant(tmp_path_factory) -> Plant:
    return build(tmp_path_factory.mktemp("template") / "plant")


def check(path: Path, plant: Plant) -> Report:
    report = Report()
    outside = [Signed("given", notes.parse_checkpoint(content), outside=True) for content in plant.handed_out]
    FolderCheck(path, report, Options(notes.parse_key(plant.key), outside)).run()
    return report


@pytest.mark.campaign
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_mutation_of_a_folder_is_missed(plant, tmp_path, chunk):
    root = copy_of(plant.folder.path, tmp_path / "plant")
    sealed = check(root, plant).counts["sealed"]
    rng = random.Random(f"folder {chunk}")
    tried, missed, kinds = 0, [], Counter()
    while tried < share(FULL, CI) // CHUNKS:
        damage = damaged_journal(rng, root, sealed) if rng.random() < 0.5 else damaged_file(rng, root)
        with suppress(UnchangedError), damage as what:
            tried += 1
            report = check(root, plant)
            if report.ok:
                missed.append(what)
            kinds.update({each.code for each in report.problems})
    assert missed == []
    assert check(root, plant).problems == []
    assert {"entry.body", "entry.gap", "checkpoint.root", "checkpoint.signature", "archive.hash"} <= kinds.keys()


@pytest.mark.campaign
def test_the_untouched_always_passes(plant):
    for _ in range(share(50, 5)):
        assert check(plant.folder.path, plant).problems == []
