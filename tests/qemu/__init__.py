"""Tests against real QEMU: captured streams, loads by QEMU, migrations between two QEMUs."""
