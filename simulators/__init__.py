"""A plant with ground truth; its own encoders, nothing shared with the drivers."""
