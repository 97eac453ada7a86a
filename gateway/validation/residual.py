"""``node.residual``: what a parent shows beyond its children has changed by more than their permissible errors explain.

A changed transformer, an error that drifted beyond the permissible one, an unmetered branch: all change the share of
the parent's energy that its children do not account for. The share in the first windows (after commissioning or the
last check on site) is the reference; a later change is named when it exceeds what the meters' permissible errors allow
and six times the scatter of the reference. Which meter it was is an indication, never a verdict: the one whose own
energy explains the differences best. A child whose share of the node is so small that its fault stays below the
limit is not observable here.
"""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from gateway.validation.movement import STEP, Energies

REFERENCE_WINDOWS = 24
BLOCK_WINDOWS = 8
SCATTER_TIMES = 6
PERMISSIBLE_PERMILLE = 10
"""Twice the permissible error of class 0.5 at rated load: however loads mix such errors, the share moves no further."""


class Residual(NamedTuple):
    """The share changed by ``change_permille`` from the window ``start`` (place) on; ``suspect`` is 0 for the parent, n
    for the n-th child, and would have to err by ``error_permille`` more than before."""

    start: int
    change_permille: float
    limit_permille: float
    suspect: int
    error_permille: float


def node_residual(
    parent: Energies, children: Sequence[Energies], permissible_permille: float = PERMISSIBLE_PERMILLE
) -> Residual | None:
    """The first lasting change of a node's unexplained share; None where nothing changed, or too little is known.

    All series begin at the same window and are on one side of their transformers, in one unit. Give None for windows
    that were not measured: an interpolated one follows no load, and would move the share by itself.
    """
    whole = [
        at
        for at in range(min([len(parent), *(len(each) for each in children)]))
        if parent[at] and all(each[at] is not None for each in children)
    ]
    if len(whole) < REFERENCE_WINDOWS + BLOCK_WINDOWS:
        return None
    shares = [_share(parent, children, at) for at in whole]
    reference = median(shares[:REFERENCE_WINDOWS])
    scatter = 1.4826 * median(abs(each - reference) for each in shares[:REFERENCE_WINDOWS])
    typical = median(abs(parent[at] or 0) for at in whole)
    coarse = 1_000 * 2 * STEP * (len(children) + 1) / typical if typical else 0.0
    limit = max(permissible_permille, SCATTER_TIMES * scatter, coarse)
    for first in range(REFERENCE_WINDOWS, len(whole) - BLOCK_WINDOWS + 1):
        change = median(shares[first : first + BLOCK_WINDOWS]) - reference
        if abs(change) > limit:
            span = [
                at
                for at, share in zip(whole[first:], shares[first:], strict=True)
                if (share - reference) * change > limit * abs(change)
            ]
            suspect, error = _suspect(parent, children, span[: 2 * BLOCK_WINDOWS], reference)
            return Residual(span[0], change, limit, suspect, error)
    return None


def _share(parent: Energies, children: Sequence[Energies], at: int) -> float:
    """Permille of the parent's energy that the children do not account for."""
    own = parent[at] or 0
    return 1_000.0 * (own - sum(each[at] or 0 for each in children)) / own


def _suspect(
    parent: Energies, children: Sequence[Energies], span: Sequence[int], reference: float
) -> tuple[int, float]:
    """The meter whose energy explains the new differences best, and the permille by which it would err."""
    wanted = [(parent[at] or 0) * (_share(parent, children, at) - reference) for at in span]
    best, named, error = float("inf"), 0, 0.0
    for number, energies in enumerate([parent, *children]):
        own = [float(energies[at] or 0) for at in span]
        power = sum(each * each for each in own)
        if not power:
            continue
        slope = sum(w * x for w, x in zip(wanted, own, strict=True)) / power
        left = sum((w - slope * x) ** 2 for w, x in zip(wanted, own, strict=True))
        if left < best:
            best, named, error = left, number, slope if number == 0 else -slope
    return named, error
