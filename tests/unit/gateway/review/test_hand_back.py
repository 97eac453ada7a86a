"""A reviewer's file as it arrives: whole, damaged, locked or made up, it is read or refused, and nothing else."""

import random
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.assembly.review_desk import HandBack, manifest_text, read_hand_back, write_hand_back
from gateway.assembly.review_machine import MARKER
from gateway.cli.main import root
from gateway.review.acts import ReviewError
from gateway.review.statement import JUDGED, Statement, signed
from gateway.sealing.note import SigningKey
from tests.plant_folder import build_folder

KEY = SigningKey("li", Ed25519PrivateKey.from_private_bytes(b"\1" * 32))
ORIGIN = "meterproof/real/works/main/1"


def file_of_a_reviewer() -> bytes:
    act = Statement(
        origin=ORIGIN, review="r1", reviewer="li", number=1, previous="", action=JUDGED, at_us=7, object={"item": "6.1"}
    )
    notes = [signed(act.text(), KEY)]
    manifest = signed(manifest_text(ORIGIN, "r1", "li", notes), KEY)
    return write_hand_back(HandBack("r1", "li", notes, {"ab": b"a photo " * 40}, manifest))


def test_it_is_read_as_it_was_written() -> None:
    found = read_hand_back(file_of_a_reviewer())
    assert (found.review, found.reviewer, len(found.notes)) == ("r1", "li", 1)
    assert found.documents == {"ab": b"a photo " * 40}


def test_a_damaged_file_is_refused_and_breaks_nothing() -> None:
    content, chance, refused = file_of_a_reviewer(), random.Random(9), 0
    for _ in range(400):
        damaged = bytearray(content)
        start = chance.randrange(len(damaged))
        for place in range(start, min(len(damaged), start + chance.randrange(1, 12))):
            damaged[place] ^= chance.randrange(1, 256)
        try:
            read_hand_back(bytes(damaged))
        except ReviewError:
            refused += 1
    assert refused > 200


def test_a_member_under_a_password_is_refused() -> None:
    locked = bytearray(file_of_a_reviewer())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := locked.find(mark, place + 1)) >= 0:
            locked[place + flags] |= 1
    with pytest.raises(ReviewError):
        read_hand_back(bytes(locked))


@pytest.mark.parametrize("acts", [b'"x"', b"{}", b"[1]", b"[[]]", b"null", b"["])
def test_acts_of_another_shape_are_refused(acts: bytes) -> None:
    stream = BytesIO()
    with zipfile.ZipFile(BytesIO(file_of_a_reviewer())) as genuine, zipfile.ZipFile(stream, "w") as made:
        made.writestr("file.note", genuine.read("file.note"))
        made.writestr("acts.json", acts)
    with pytest.raises(ReviewError):
        read_hand_back(stream.getvalue())


def test_a_reading_copy_is_not_exported_and_says_why(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "data")
    facts = '{"package":"p.zip","sha256":"","origin":"o","head":1,"checkpoint":1,"until_us":1,"key":""}'
    (folder.path / MARKER).write_text(facts, "utf-8")
    words = [
        "export",
        str(tmp_path / "x.zip"),
        "--data",
        str(folder.path),
        "--from",
        "2026-03-10",
        "--to",
        "2026-03-11",
    ]
    done = CliRunner().invoke(root, ["--lang", "en", *words])
    assert done.exit_code != 0
    assert "reading copy of the package p.zip" in done.output + str(done.exception)
    assert not (tmp_path / "x.zip").exists()
