"""Pictures: one port, the backends that draw behind it, and the names under which they are configured."""
