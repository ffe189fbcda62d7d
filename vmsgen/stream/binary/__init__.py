"""A stream in QEMU's own format: items read from it and written to it."""
