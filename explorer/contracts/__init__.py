"""The contracts between domains, searches and studies, which everything else implements or uses."""
