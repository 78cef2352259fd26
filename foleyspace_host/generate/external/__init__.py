"""Engines that do not ship: models of other people, under their own terms, from the user's own folders."""
