"""The InfluxDB sink: dialects v1 and v2."""
