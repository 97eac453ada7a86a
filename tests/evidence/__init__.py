"""The trail under attack: mutations, kills, power losses."""
