"""Merkle tree, signed checkpoints, keys."""
