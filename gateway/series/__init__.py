"""The embedded time-series store, a row a poll."""
