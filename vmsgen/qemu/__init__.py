"""Importers: what QEMU says of its device states (the description behind a stream, ``-dump-vmstate``) as specs."""
