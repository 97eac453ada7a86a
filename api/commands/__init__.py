"""What people put on record by form and by API alike: the wish as it is said, and the one way in which it is done."""
