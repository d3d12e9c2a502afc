"""What a domain, a search and a study agree on; all else plugs into these."""
