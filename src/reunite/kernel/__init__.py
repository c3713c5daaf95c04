"""What every other room may use: ids, clock, places, people, languages, errors."""
