import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.journal.entry import leaf_hash
from gateway.sealing.growth import Growth
from gateway.sealing.note import Checkpoint, Note, NoteError, Signature, SigningKey, VerifierKey
from gateway.sealing.proof import format_proof
from gateway.sealing.tiles import TileReader, TileStore, tile_name
from gateway.sealing.tree import EMPTY_ROOT, consistency_proof, inclusion_proof, range_root


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def leaves(count):
    return [leaf_hash(b'{"n":%d}' % number) for number in range(count)]


def oracle_root(hashes):
    """The definition of RFC 6962 section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + oracle_root(hashes[:k]) + oracle_root(hashes[k:])).digest()


def stored(tmp_path, count):
    growth = Growth()
    for leaf in leaves(count):
        growth.append(leaf)
    store = TileStore(tmp_path / "tile")
    for tile in [*growth.full, *growth.partial()]:
        store.write(*tile)
    return growth, store


def test_roots_equal_the_vectors(vectors):
    growth = Growth()
    assert growth.root() == EMPTY_ROOT
    for leaf in leaves(vectors["count"]):
        growth.append(leaf)
        expected = vectors["roots"].get(str(growth.size))
        if expected is not None:
            assert b64(growth.root()) == expected


def test_the_known_roots_of_rfc_6962_test_data():
    # roots over these eight inputs, published with the first implementation of the RFC
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    growth = Growth()
    roots = []
    for text in inputs:
        growth.append(leaf_hash(bytes.fromhex(text)))
        roots.append(growth.root().hex())
    assert roots[0] == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert roots[7] == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 255, 256, 257, 511, 513, 1000])
def test_growth_equals_the_definition_and_survives_reloading(tmp_path, count):
    growth, store = stored(tmp_path, count)
    assert growth.root() == oracle_root(leaves(count))
    again = Growth.load(store, count)
    assert again.root() == growth.root()
    again.append(leaf_hash(b"next"))
    assert again.root() == oracle_root([*leaves(count), leaf_hash(b"next")])


def test_a_tree_of_three_tile_levels(tmp_path):
    count = 256 * 256 + 300
    growth, store = stored(tmp_path, count)
    reader = TileReader(store, count)
    assert range_root(reader, 0, count) == growth.root()
    assert Growth.load(store, count).root() == growth.root()


def test_proofs_equal_the_vectors(tmp_path, vectors):
    _, store = stored(tmp_path, vectors["count"])
    for case in vectors["inclusion"]:
        if case["size"] == vectors["count"]:
            reader = TileReader(store, case["size"])
            assert [b64(each) for each in inclusion_proof(reader, case["index"], case["size"])] == case["hashes"]
    for number, case in enumerate(vectors["inclusion"]):
        _, smaller = stored(tmp_path / f"i{number}", case["size"])
        found = inclusion_proof(TileReader(smaller, case["size"]), case["index"], case["size"])
        assert [b64(each) for each in found] == case["hashes"]
    for number, case in enumerate(vectors["consistency"]):
        _, smaller = stored(tmp_path / f"c{number}", case["size"])
        found = consistency_proof(TileReader(smaller, case["size"]), case["index"], case["size"])
        assert [b64(each) for each in found] == case["hashes"]


def test_tiles_equal_the_vectors(tmp_path, vectors):
    hashes = leaves(vectors["count"])
    for case in vectors["tiles"]:
        span = 256 ** case["level"]
        size = (case["number"] * 256 + case["width"]) * span
        _, store = stored(tmp_path / f"{case['level']}-{case['number']}-{case['width']}", size)
        path = store.folder / tile_name(case["level"], case["number"], case["width"])
        assert hashlib.sha256(path.read_bytes()).hexdigest() == case["sha256"]
    assert len(hashes) == 600


def test_tile_names_equal_the_vectors(vectors):
    for number, path in vectors["tile_paths"]:
        assert tile_name(0, number) == path
    assert tile_name(2, 1234067, 17) == "2/x001/x234/067.p/17"


def test_a_note_of_another_implementation_is_read_and_ours_is_the_same_byte_for_byte(vectors):
    key = VerifierKey.parse(vectors["vkey"])
    assert str(key) == vectors["vkey"]
    note = Note.parse(vectors["checkpoint"])
    assert note.signed_by(key)
    assert str(note) == vectors["checkpoint"]
    seed = base64.b64decode(vectors["private_key"].split("+", 4)[-1])[1:]
    ours = SigningKey("example.org/plant/works", Ed25519PrivateKey.from_private_bytes(seed))
    checkpoint = Checkpoint("example.org/plant/works", 600, base64.b64decode(vectors["roots"]["600"]))
    assert str(Note(checkpoint.text(), (ours.sign(checkpoint.text()),))) == vectors["checkpoint"]


def test_our_proof_is_theirs_byte_for_byte(tmp_path, vectors):
    _, store = stored(tmp_path, 600)
    hashes = inclusion_proof(TileReader(store, 600), 417, 600)
    assert format_proof(417, hashes, Note.parse(vectors["checkpoint"])) == vectors["proof"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("600", "601"),
        ("works\n600", "work\n600"),
        ("— example.org/plant/works", "— example.org/plant/work"),
        ("=\n", "\n"),
        ("\n\n", "\n"),
    ],
)
def test_a_changed_note_does_not_pass(vectors, old, new):
    key = VerifierKey.parse(vectors["vkey"])
    changed = vectors["checkpoint"].replace(old, new, 1)
    assert changed != vectors["checkpoint"]
    try:
        accepted = Note.parse(changed).signed_by(key)
    except NoteError:
        accepted = False
    assert not accepted


def test_every_single_bit_of_a_signature_line_counts(vectors):
    key = VerifierKey.parse(vectors["vkey"])
    content = vectors["checkpoint"].encode()
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        try:
            accepted = Note.parse(changed.decode()).signed_by(key)
        except (NoteError, UnicodeDecodeError):
            accepted = False
        assert not accepted, position


def test_a_cosignature_verifies_and_its_time_is_covered():
    text = Checkpoint("example.org/log", 3, bytes(32)).text()
    witness = SigningKey("witness.example/w", Ed25519PrivateKey.from_private_bytes(bytes(range(32))), kind=4)
    line = witness.cosign(text, 1_764_000_000)
    assert Note(text, (line,)).signed_by(witness.verifier)
    later = Signature(line.name, line.key_id, (1_764_000_001).to_bytes(8, "big") + line.signature[8:])
    with pytest.raises(NoteError):
        Note(text, (later,)).signed_by(witness.verifier)
