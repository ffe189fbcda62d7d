"""The records of the ram section in QEMU's format, mapped-ram's pages among them."""
