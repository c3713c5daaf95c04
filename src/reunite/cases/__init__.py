"""Records of people who are missing or found: life cycle, photos, leads, sightings."""
