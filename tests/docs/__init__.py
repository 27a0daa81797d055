"""What the documentation shows is so: its commands, its programs, its tables and its links."""
