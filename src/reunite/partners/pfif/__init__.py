"""PFIF, the People Finder Interchange Format: read 1.1 to 1.4, write any of them.

Specification: http://zesty.ca/pfif/1.4.  There is no library for it; this is written from the
specification.
"""
