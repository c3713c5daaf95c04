"""The spreadsheets of relief stations: columns guessed, dates and ages in every form, pictures."""
