"""The chains of stages behind the commands: from files to files, with progress, cancel and provenance.

Each stage is a function of its inputs and one frozen settings object, and leaves one result (a trajectory,
a float sound file, the output); `foleyspace_host.pipeline.stages` names them and measures them.
"""
