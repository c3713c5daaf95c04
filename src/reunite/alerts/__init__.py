"""Telling volunteers: whom (``audience``), how far (``radius``), what (``notices``)."""
