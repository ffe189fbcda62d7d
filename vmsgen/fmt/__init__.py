"""The house style of specs: what each text is, how a line is written, how the file is laid out."""
