"""The tree of RFC 6962: published vectors, and the growing tree against the definition."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.store.audit.merkle import (
    EMPTY_ROOT,
    GrowingTree,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of,
)

# The leaves and roots that implementations of Certificate Transparency are tested with.
LEAVES = [
    bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def defined(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(defined(leaves[:split]), defined(leaves[split:]))


@pytest.mark.parametrize("count", ROOTS)
def test_published_roots(count: int) -> None:
    assert root_of([leaf_hash(leaf) for leaf in LEAVES[:count]]).hex() == ROOTS[count]


def test_empty_tree() -> None:
    assert GrowingTree().root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_growing_is_the_definition(entries: list[bytes]) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    assert root_of(leaves) == defined(leaves)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
def test_every_leaf_is_proved_and_no_other(entries: list[bytes], data: st.DataObject) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = inclusion_proof(leaves, index)
    assert root_from_inclusion(leaves[index], index, len(leaves), path) == root_of(leaves)
    assert root_from_inclusion(leaf_hash(b"another entry"), index, len(leaves), path) != root_of(leaves)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40))
def test_edge_goes_on_where_it_was(entries: list[bytes]) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    tree = GrowingTree()
    for leaf in leaves:
        again = GrowingTree(tree.size, tree.edge)
        again.append(leaf)
        tree.append(leaf)
        assert again.root() == tree.root()


def test_refuses_an_edge_of_another_size() -> None:
    with pytest.raises(ValueError, match="a tree of 3 leaves has 2 subtrees"):
        GrowingTree(3, [bytes(32)])


@pytest.mark.parametrize("wrong", [[], [bytes(32)] * 4])
def test_refuses_a_path_of_another_length(wrong: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"too (short|long)"):
        root_from_inclusion(bytes(32), 1, 5, wrong)
