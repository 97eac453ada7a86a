"""The MQTT driver."""
