"""The 1:N search: who among all enrolled faces looks most like this one.

``port`` is what the rest of Reunite knows; ``exact`` is the plain implementation
that every other one is judged by.
"""
