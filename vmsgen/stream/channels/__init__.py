"""The other channels of one migration: multifd's and preempt's files beside the main stream."""
