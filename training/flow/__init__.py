"""What the trainings of flow models have in common; it knows neither of them.

``training`` takes steps that may stop and go on, as a ``recipe`` and its ``schedule`` say, and keeps ``checkpoint`` and
``averages``. ``export_onnx`` writes the file that ships, with ``stored_weights``, and ``card`` what is known of it.
``sounds`` brings what is learnt from into shape and into one small file. ``commands`` are the options of all of it.
"""
