"""Rules about readings and about interval series: one file a rule, pure, without input or output.

Each rule looks at one thing and says so as a finding; nothing is clamped, re-stamped or left out. ``GroupRules`` runs
them over one decoded poll and costs a few microseconds while everything is normal.
"""

from gateway.validation.group import GroupRules
from gateway.validation.identical import Twins, identical_series
from gateway.validation.identity import DeviceIdentity, Installed, InstalledInstruments, NoRegistry
from gateway.validation.pack import RULE_PACK
from gateway.validation.quality import judged_quality
from gateway.validation.replayed import Repetition, replayed_stretches
from gateway.validation.residual import Residual, node_residual

__all__ = [
    "RULE_PACK",
    "DeviceIdentity",
    "GroupRules",
    "Installed",
    "InstalledInstruments",
    "NoRegistry",
    "Repetition",
    "Residual",
    "Twins",
    "identical_series",
    "judged_quality",
    "node_residual",
    "replayed_stretches",
]
