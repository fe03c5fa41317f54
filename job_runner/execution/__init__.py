"""`run` and `execute-manifest`: jobs spoken on this machine, without a server."""
