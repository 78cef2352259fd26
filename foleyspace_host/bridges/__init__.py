"""Bridges between other programs and the host, for those that cannot speak to it themselves."""
