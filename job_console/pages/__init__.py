"""Pages for people: what the routes of REST say, to look at, to hear and to decide about."""
