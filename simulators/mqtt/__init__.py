"""Meters and concentrators that push: payloads as their profiles say, an embedded broker, a publisher."""
