"""The views reviewers read."""
