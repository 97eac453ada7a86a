"""Delivery into real InfluxDB 1.6.7, and contract fakes for what cannot be had as a server."""
