"""The seal as the pages show it, and the proof they hand out, checked with a few lines of RFC 6962 of our own."""

import base64
import hashlib
from pathlib import Path

from gateway.journal.journal import Journal
from gateway.sealing.sealer import Sealer
from tests.people import client_of
from tests.plant_folder import FixedClock, build_folder


def test_a_proof_leads_from_the_entry_to_the_signed_root(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "data")
    with Journal.open(folder) as journal:
        Sealer(folder, FixedClock()).seal(journal)
        head = journal.head()
        body = journal.entry(37).body_bytes
    with client_of(folder) as client:
        page = client.get("/journal?lang=en").text
        assert "signature of the newest checkpoint verifies" in page
        seal = client.get("/api/v1/journal").json()["result"]["seal"]
        assert (seal["size"], seal["signed"]) == (head, True)
        answer = client.get("/api/v1/journal/37/proof")
        assert answer.headers["content-type"].startswith("text/plain")
        assert client.get(f"/api/v1/journal/{head + 1}/proof").status_code == 404
        assert "/api/v1/journal/37/proof" in client.get("/journal/37").text
        _break_signature(folder.seal / "checkpoint", folder.seal / "checkpoints")
        assert "does NOT verify" in client.get("/journal?lang=en").text
    lines = answer.text.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 36"]
    hashes = [base64.b64decode(line) for line in lines[2 : lines.index("")]]
    assert _root(hashlib.sha256(b"\x00" + body).digest(), 36, head, hashes).hex() == seal["root"]


def _root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.3.2."""
    node, last, at = leaf, size - 1, index
    for sibling in path:
        if at % 2 or at == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not at % 2 and at:
                at, last = at >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        at, last = at >> 1, last >> 1
    assert last == 0
    return node


def _break_signature(*places: Path) -> None:
    for place in places:
        for path in [place] if place.is_file() else sorted(place.iterdir()):
            text = path.read_text()
            body, _, signature = text.rpartition("\n\n")
            origin, size, root = body.split("\n")[:3]
            raw = bytearray(base64.b64decode(root))
            raw[0] ^= 1
            path.write_text("\n".join((origin, size, base64.b64encode(bytes(raw)).decode())) + "\n\n" + signature)
