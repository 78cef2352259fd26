"""Many clips and timelines in one go: lists of them, what is to be done for each, the record of it, and the run.

The record is one SQLite file beside the results (`ledger`), not the host's record of jobs: a batch lives and ends
with its results, and is taken up again by whoever sees their folder, on whatever machine.
"""
