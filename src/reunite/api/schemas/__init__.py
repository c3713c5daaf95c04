"""Bodies of requests and answers.

They are written out apart from the domain, so that a change inside cannot change, or leak
into, what programs outside rely on.
"""
