"""Tests of the whole product; also the starters of the real servers they run against."""
