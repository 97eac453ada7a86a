"""Modbus servers that show simulated meters as their profiles say, with every byte under control."""
