"""The demo: a simulated cement works, its ledger with planted faults, its history, and the works running."""
