"""A build: the specs of a project compiled, what has changed of it generated, all published or nothing."""
