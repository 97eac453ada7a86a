"""Configuration to object graph; the one place that knows concrete classes."""
