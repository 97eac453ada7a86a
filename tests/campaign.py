"""How much of a long run to do: all of it with METERPROOF_CAMPAIGN=full, else the share that CI can afford."""

import os


def share(full: int, ci: int) -> int:
    """``full`` in a campaign, ``ci`` otherwise."""
    return full if os.environ.get("METERPROOF_CAMPAIGN") == "full" else ci
