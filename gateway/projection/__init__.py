"""The one apply(entries): journal to projections."""
