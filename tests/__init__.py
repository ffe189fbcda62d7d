"""The tests of vmsgen."""
