"""What people do with the texts that wait for them: files out and in, and the triage page."""
