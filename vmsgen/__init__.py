"""Device state described once: typed classes, ASN.1 schema and codecs for QEMU migration streams."""

__version__ = "0.1.0"
