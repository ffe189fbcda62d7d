"""Independent judges of the schema and the BER: asn1tools, pycrate and asn1c."""
