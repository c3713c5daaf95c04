"""Rare blood: antigens and types, three-valued.  No donors, rules or requests yet."""
