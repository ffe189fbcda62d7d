"""Tests that keep README.md and docs/ true: what the pages show is run, and what it prints is compared."""
