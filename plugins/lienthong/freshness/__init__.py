"""Is every source and every agency still sending? Volumes kept by merge, what is usual, and what is found missing."""
