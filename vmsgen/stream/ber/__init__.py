"""A stream in BER: items read from it and written to it, and the schema of its containers."""
