"""Where the bytes of a stream come from and go to: files, pipes, sockets."""
