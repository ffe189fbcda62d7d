"""The description that QEMU sends at the end of a stream: reading it, matching it with classes, asking it."""
