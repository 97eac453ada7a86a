import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sealing.growth import Growth
from gateway.sealing.package import complement
from gateway.sealing.tiles import TileReader, TileStore
from gateway.verifier import notes
from gateway.verifier.merkle import TreeWalk, consistent, leaf_hash, root_from_inclusion, sparse_root

VECTORS = json.loads((Path(__file__).parents[3] / "cases/journal/tree.json").read_text("utf-8"))
ROOTS = {int(size): base64.b64decode(root) for size, root in VECTORS["roots"].items()}


def leaves(count):
    return [leaf_hash(b'{"n":%d}' % number) for number in range(count)]


def test_roots_equal_the_vectors_of_another_implementation():
    walk = TreeWalk()
    for leaf in leaves(VECTORS["count"]):
        walk.add(leaf)
        if walk.size in ROOTS:
            assert walk.root() == ROOTS[walk.size]


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=lambda case: f"{case['index']} in {case['size']}")
def test_inclusion_proofs_of_the_vectors_hold_and_changed_ones_do_not(case):
    proof = [base64.b64decode(each) for each in case["hashes"]]
    walk = TreeWalk()
    for leaf in leaves(case["size"]):
        walk.add(leaf)
    mine = leaves(case["size"])[case["index"]]
    assert root_from_inclusion(mine, case["index"], case["size"], proof) == walk.root()
    assert root_from_inclusion(mine, case["index"], case["size"], [*proof, bytes(32)]) is None
    assert root_from_inclusion(bytes(32), case["index"], case["size"], proof) != walk.root()
    if proof:
        assert root_from_inclusion(mine, case["index"], case["size"], proof[:-1]) != walk.root()


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=lambda case: f"{case['index']} to {case['size']}")
def test_consistency_proofs_of_the_vectors_hold_and_changed_ones_do_not(case):
    old, size = case["index"], case["size"]
    walk, roots = TreeWalk(), {}
    for leaf in leaves(size):
        walk.add(leaf)
        roots[walk.size] = walk.root()
    proof = [base64.b64decode(each) for each in case["hashes"]]
    assert consistent(old, roots[old], size, roots[size], proof)
    assert not consistent(old, bytes(32), size, roots[size], proof)
    assert not consistent(old, roots[old], size, bytes(32), proof)
    assert not consistent(old, roots[old], size, roots[size], proof[:-1])
    assert not consistent(old, roots[old], size, roots[size], [*proof, bytes(32)])


@given(size=st.integers(1, 700), data=st.data())
def test_a_sparse_tree_gives_the_root_and_only_with_exactly_its_hashes(tmp_path_factory, size, data):
    chosen = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=12)))
    growth, store = Growth(), TileStore(tmp_path_factory.mktemp("tiles"))
    for leaf in leaves(size):
        growth.append(leaf)
    for tile in [*growth.full, *growth.partial()]:
        store.write(*tile)
    supplied = list(complement(TileReader(store, size), size, chosen))
    mine = {index: leaves(size)[index] for index in chosen}
    assert sparse_root(size, mine, supplied) == growth.root()
    assert sparse_root(size, mine, [*supplied, bytes(32)]) is None
    if supplied:
        assert sparse_root(size, mine, supplied[:-1]) is None
    assert sparse_root(size, mine | {chosen[0]: bytes(32)}, supplied) != growth.root()


def test_the_note_of_another_implementation_is_accepted():
    checkpoint = notes.parse_checkpoint(VECTORS["checkpoint"].encode())
    assert checkpoint.signed_by(notes.parse_key(VECTORS["vkey"]))
    assert checkpoint.root == ROOTS[600]
    proof = notes.parse_proof(VECTORS["proof"].encode())
    assert proof.index == 417
    assert root_from_inclusion(leaf_hash(b'{"n":417}'), 417, 600, proof.hashes) == ROOTS[600]
