"""Work on the machines of a Dask cluster: the connection to it, what runs on its workers, and an engine for jobs.

Nothing here is imported before a cluster is asked for; `distributed` comes with the extra ``cluster``.
"""
