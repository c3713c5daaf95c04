"""Telling volunteers: whom (``audience``), how far (``radius``), what (``notices``).

``audience`` chooses from the ``audience_index``, which holds everybody as ``sorted_cells`` and
is asked by ``areas`` and ``polygon``.
"""
